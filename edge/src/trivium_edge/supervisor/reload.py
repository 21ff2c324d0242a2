"""From a changed file to a configuration in force in all workers, or to the old one and a reason. One code path."""

import asyncio
import logging
import os
from collections.abc import Iterable

from trivium_edge.config.load import LoadedConfig, load_config
from trivium_edge.config.positions import ConfigInvalid, Fault
from trivium_edge.control.snapshot import Snapshot
from trivium_edge.supervisor.pool import WorkerPool
from trivium_edge.supervisor.state import EdgeState

log = logging.getLogger(__name__)

# Editors write a file in several steps; one change is told once.
DEBOUNCE_MS = 200
# What the supervisor itself holds (sockets, processes, folders) is taken from the file at start only.
FIXED = (
    *("environment", "workers", "proxy", "admin", "status", "metrics"),
    *("edge_identity", "access_log", "trusted_proxies", "proxy_protocol", "limits"),
)


class Reloader:
    """Loads the file again when it changes or when asked; a bad file changes nothing."""

    def __init__(self, loaded: LoadedConfig, pool: WorkerPool, state: EdgeState) -> None:
        self.loaded = loaded
        self.generation = 1
        self._pool = pool
        self._state = state
        self._lock = asyncio.Lock()

    async def put_first_in_force(self) -> None:
        """Give the configuration of the start to the workers."""
        self._tell_warnings(self.loaded)
        await self._pool.put_in_force(Snapshot.of(self.loaded, self.generation))

    async def reload(self, why: str) -> str | None:
        """Read the file and put it in force; the problem when it was refused and the old one is kept."""
        async with self._lock:
            problem = await self._reload()
        self._state.reload_problem = problem
        if problem is not None:
            self._state.reload_failures += 1
            log.error(
                "the configuration is refused, the one before stays in force",
                extra={"detail": problem, "why": why},
            )
        return problem

    async def watch(self) -> None:
        """Reload whenever one of the files changes that the configuration was read from. Ends by cancellation."""
        from watchfiles import awatch

        while True:
            files = self.loaded.files
            folders = {str(path.resolve().parent) for path in files}
            async for changes in awatch(*folders, debounce=DEBOUNCE_MS, recursive=False):
                if self._concerns(changes):
                    await self.reload("a file has changed")
                    if self.loaded.files != files:
                        break

    def _concerns(self, changes: Iterable[tuple[object, str]]) -> bool:
        """Whether a change is about our files. A mounted ConfigMap changes by a new link named ..data."""
        ours = {str(path.resolve()) for path in self.loaded.files} | {
            str(path.absolute()) for path in self.loaded.files
        }
        return any(path in ours or os.path.basename(path) == "..data" for _, path in changes)

    async def _reload(self) -> str | None:
        try:
            loaded = await asyncio.to_thread(load_config, self._state.config_path, dict(os.environ))
            self._check_fixed(loaded)
        except ConfigInvalid as invalid:
            return _summarise(invalid.faults)
        snapshot = Snapshot.of(loaded, self.generation + 1)
        if snapshot.config == self.loaded.config:
            return None
        problems = await self._pool.put_in_force(snapshot)
        if self._pool.snapshot is not snapshot:
            return "; ".join(problems)
        self.generation += 1
        self.loaded = loaded
        self._tell_warnings(loaded)
        log.info(
            "a new configuration is in force",
            extra={"generation": self.generation, "routes": len(loaded.config.routes)},
        )
        return None

    def _check_fixed(self, loaded: LoadedConfig) -> None:
        old, new = self.loaded.config.global_, loaded.config.global_
        faults = [
            Fault(
                loaded.tree.nearest(["global", name]).at,
                f"global.{name}",
                "cannot change while the edge runs; restart it",
            )
            for name in FIXED
            if getattr(old, name) != getattr(new, name)
        ]
        if faults:
            raise ConfigInvalid(faults)

    def _tell_warnings(self, loaded: LoadedConfig) -> None:
        for warning in loaded.warnings:
            log.warning(warning.message, extra={"setting": warning.setting, "place": str(warning.at)})


def _summarise(faults: tuple[Fault, ...]) -> str:
    more = f" (and {len(faults) - 1} more: trivium-edge check)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}"
