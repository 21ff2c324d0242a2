"""Starts a BFF again when its source changes."""

from pathlib import Path

from trivium_cli.stack.supervisor import Supervisor


async def reload_on_change(supervisor: Supervisor, name: str, source: Path) -> None:
    """Watch the Python files, GraphQL and configuration below `source` until cancelled."""
    from watchfiles import DefaultFilter, awatch

    async for _ in awatch(source, watch_filter=DefaultFilter(), debounce=200):
        supervisor.reload(name)
