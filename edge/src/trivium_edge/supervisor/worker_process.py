"""One worker as the supervisor sees it: a process, a control channel, and what it last reported."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from trivium_edge.control.channel import CallFailed, ChannelClosed, ControlChannel
from trivium_edge.control.snapshot import Snapshot
from trivium_edge.telemetry.samples import Samples

log = logging.getLogger(__name__)

# Compiling ten thousand routes takes a few seconds; what takes longer hangs.
CONFIGURE_TIMEOUT_S = 30.0


class WorkerProcess:
    """A running worker. `pid` and `index` name it in logs."""

    def __init__(self, index: int, process: asyncio.subprocess.Process, channel: ControlChannel) -> None:
        self.index = index
        self.pid = process.pid
        self.is_serving = False
        self.generation = 0
        self.started_at = asyncio.get_running_loop().time()
        # What it counted when it was last asked: all that is left of its counts once it is dead.
        self.last_samples = Samples()
        self._process = process
        self._channel = channel

    @classmethod
    async def start(
        cls, index: int, listeners: Sequence[socket.socket], log_format: str | None
    ) -> "WorkerProcess":
        """Start the process; it waits for its configuration."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        fds = [theirs.fileno(), *(listener.fileno() for listener in listeners)]
        command = [sys.executable, "-m", "trivium_edge.worker", "--index", str(index)]
        command += ["--control-fd", str(fds[0]), "--listen-fds", ",".join(str(fd) for fd in fds[1:])]
        if log_format:
            command += ["--log", log_format]
        try:
            process = await asyncio.create_subprocess_exec(
                *command, pass_fds=fds, stdin=asyncio.subprocess.DEVNULL, env=dict(os.environ)
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(index, process, await ControlChannel.open(ours))

    async def run(self) -> int:
        """Serve the channel until the process has ended; its exit code."""
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(self._channel.run())
            code = await self._process.wait()
            self.is_serving = False
            serving.cancel()
        return code

    async def configure(self, snapshot: Snapshot, packed: Mapping[str, Any]) -> None:
        """Put a snapshot in force in the worker.

        Raises: CallFailed when it cannot run it, ChannelClosed, TimeoutError.
        """
        await self._channel.call("configure", {"snapshot": packed}, timeout_s=CONFIGURE_TIMEOUT_S)
        self.generation = snapshot.generation
        self.is_serving = True

    async def ask(self, op: str, args: Mapping[str, Any] | None = None, *, timeout_s: float = 2.0) -> Any:
        """The answer of the worker, None when it gives none in time or is gone.

        Raises: CallFailed, when the worker refuses.
        """
        try:
            return await self._channel.call(op, args, timeout_s=timeout_s)
        except (ChannelClosed, TimeoutError):
            return None

    async def refresh_samples(self) -> None:
        """Ask for the worker's counts and keep them."""
        try:
            packed = await self.ask("metrics")
        except CallFailed as failed:
            log.warning(
                "a worker did not report its metrics", extra={"worker": self.index, "detail": str(failed)}
            )
            return
        if packed is not None:
            self.last_samples = Samples.unpack(packed)

    def kill(self) -> None:
        """End the process at once."""
        if self._process.returncode is None:
            self._process.kill()

    def hang_up(self) -> None:
        """Close the channel: a worker without a supervisor finishes and ends."""
        self._channel.close()
