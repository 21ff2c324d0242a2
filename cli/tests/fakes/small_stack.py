"""A stack of tiny processes under the real supervisor, and waiting for conditions."""

import asyncio
import io
import os
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trivium_cli.stack.child import Child
from trivium_cli.stack.console import Console
from trivium_cli.stack.guardian import Guardian
from trivium_cli.stack.processes import Process, Tier
from trivium_cli.stack.supervisor import Supervisor

TINY_PROCESS = Path(__file__).parent / "tiny_process.py"
LIMIT_S = 20.0


def is_running(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when `condition` holds; fail after a limit that says `what` was awaited."""
    give_up_at_s = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > give_up_at_s:
            pytest.fail(f"waited {LIMIT_S:.0f} s until {what}")
        await asyncio.sleep(0.01)


def find_free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class SmallStack:
    """Children to add, and a supervisor over them that runs until `stop`."""

    def __init__(self, guardian: Guardian, threads: ThreadPoolExecutor) -> None:
        self._guardian, self._threads = guardian, threads
        self._stream = io.StringIO()
        self._console = Console(["one", "two"], stream=self._stream)
        self.children: dict[str, Child] = {}
        self.healthy = 0

    def add(self, name: str, *words: str, tier: Tier = Tier.BFF) -> Child:
        """A tiny process, or with `code` as the first word one that runs Python code."""
        port = find_free_port()
        command = [sys.executable, "-S", str(TINY_PROCESS), str(port), *words]
        if words[:1] == ("code",):
            command = [sys.executable, "-S", "-c", words[1]]
        self.children[name] = Child(
            Process(name, (name,), (port,), tier, port),
            command,
            os.environ,
            guardian=self._guardian,
            threads=self._threads,
            show_lines=self._console.show_lines,
        )
        return self.children[name]

    def start(self, **limits: float) -> asyncio.Task[None]:
        """Run the supervisor in the background; await the task after `stop`."""
        self.supervisor = Supervisor(
            list(self.children.values()),
            self._console,
            port_of=lambda port: port,
            on_healthy=self._count_healthy,
            **limits,
        )
        self.task = asyncio.ensure_future(self.supervisor.run())
        return self.task

    async def wait_said(self, text: str) -> None:
        """Return when the console has shown `text`."""
        await wait_until(lambda: text in self.output, f"the console shows {text!r}, so far: {self.output}")

    async def stop(self) -> None:
        """Stop, and return when everything has ended."""
        self.supervisor.request_stop()
        await self.task

    @property
    def output(self) -> str:
        """All that was shown so far."""
        return self._stream.getvalue()

    async def _count_healthy(self) -> None:
        self.healthy += 1
