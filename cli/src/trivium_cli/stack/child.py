"""One process of the stack through its lives: started, watched, asked to stop, killed with its group."""

import asyncio
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import StrEnum

from trivium_cli.stack.guardian import Guardian, signal_group
from trivium_cli.stack.processes import Process

MAX_LINE_BYTES = 16 * 1024
_LAST_OUTPUT_LIMIT_S = 1.0


class State(StrEnum):
    """What a child is doing."""

    STARTING = "starting"
    READY = "ready"
    GIVEN_UP = "given up"
    STOPPED = "stopped"


@dataclass(slots=True)
class DeathLedger:
    """Remembers deaths, to tell a mishap from a process that cannot live."""

    limit: int = 3
    window_s: float = 10.0
    _deaths: deque[float] = field(default_factory=deque)

    def is_hopeless_after(self, now_s: float) -> bool:
        """Record a death; whether it was the `limit`th within `window_s`."""
        self._deaths.append(now_s)
        while self._deaths[0] <= now_s - self.window_s:
            self._deaths.popleft()
        return len(self._deaths) >= self.limit

    def clear(self) -> None:
        """Forget all deaths: something has changed, the next life counts anew."""
        self._deaths.clear()


class Child:
    """A process of the table, and the operating system's process that currently plays it.

    `hint` follows the news of its death, where its own last line does not say why.
    """

    def __init__(
        self,
        process: Process,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        guardian: Guardian,
        threads: Executor,
        show_lines: Callable[[str, list[str]], None],
        hint: str = "",
    ) -> None:
        self.process = process
        self.name = process.name
        self.state = State.STARTING
        self.reason = "is starting"
        self.hint = hint
        self.ledger = DeathLedger()
        self.activity = asyncio.Event()
        self.settled = asyncio.Event()
        self.is_reloading = False
        self._command = list(command)
        self._environment = dict(environment)
        self._guardian = guardian
        self._threads = threads
        self._show_lines = show_lines
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the current or last life; 0 before the first."""
        return self._popen.pid if self._popen else 0

    @property
    def is_alive(self) -> bool:
        """Whether the process runs, as far as we have heard."""
        return self._popen is not None and self._popen.returncode is None

    def start(self) -> None:
        """Begin a life, in a process group of its own so that its own children can be ended with it."""
        self.state, self.reason = State.STARTING, "is starting"
        self._popen = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        self._guardian.watch(self._popen.pid)

    async def wait_end(self) -> int:
        """Show the output until the process ends, end what is left of its group, return its exit code.

        On cancellation the group is killed.
        """
        popen = self._popen
        if popen is None:
            raise RuntimeError("start() comes first")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                output = tasks.create_task(self._pump_output(popen))
                code = await loop.run_in_executor(self._threads, popen.wait)
                signal_group(popen.pid, signal.SIGKILL)
                # A grandchild outside the group could hold the pipe open for ever.
                await asyncio.wait({output}, timeout=_LAST_OUTPUT_LIMIT_S)
                output.cancel()
        except asyncio.CancelledError:
            signal_group(popen.pid, signal.SIGKILL)
            raise
        finally:
            self._guardian.release(popen.pid)
        return code

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the process; it stops its own children itself."""
        if self.is_alive and self._popen is not None:
            self._popen.terminate()

    def kill(self, pid: int) -> None:
        """Send SIGKILL to the whole process group, if it still is the one that `pid` leads."""
        if self.is_alive and self.pid == pid:
            signal_group(pid, signal.SIGKILL)

    async def _pump_output(self, popen: subprocess.Popen[bytes]) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), popen.stdout
        )
        try:
            rest = b""
            while part := await reader.read(MAX_LINE_BYTES):
                *lines, rest = (rest + part).split(b"\n")
                if len(rest) >= MAX_LINE_BYTES:
                    lines, rest = [*lines, rest], b""
                self._show(lines)
            self._show([rest] if rest else [])
        finally:
            transport.close()

    def _show(self, lines: list[bytes]) -> None:
        if lines:
            self.activity.set()
            self._show_lines(self.name, [line.decode(errors="replace") for line in lines])


def describe_end(code: int) -> str:
    """How a process ended, for people: `exit code 1`, `killed by SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
