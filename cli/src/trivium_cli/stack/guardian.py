"""Ends a stack whose `trivium up` is gone, however it went. Runs as a small process of its own.

`trivium up` holds the only write end of a pipe and writes a line for each child: `+1234` when it is started, `-1234` when it
has ended. The pipe's end means that nobody looks after the children any more: each process group is asked to
stop, then killed. Standard library only, since it runs without site-packages.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

GRACE_S = 4.0


class Guardian:
    """The side of `trivium up`: starts the guarding process and tells it what to guard."""

    def __init__(self) -> None:
        read_end, self._write_end = os.pipe()
        # A session of its own: neither Ctrl-C nor a closed terminal reaches it.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=read_end,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read_end)

    def watch(self, pid: int) -> None:
        """Guard the process group of `pid`."""
        self._tell(f"+{pid}\n")

    def release(self, pid: int) -> None:
        """Forget `pid`: it has ended."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Let the guarding process end what is left, and wait until it has."""
        os.close(self._write_end)
        self._process.wait()

    def _tell(self, line: str) -> None:
        try:
            os.write(self._write_end, line.encode())
        except BrokenPipeError:
            pass  # somebody killed the guardian: the stack runs on, unguarded


def signal_group(pid: int, number: int) -> bool:
    """Signal the process group that `pid` leads; False when it has no process left."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so for a group of zombies
        return False
    return True


def end_groups(pids: Iterable[int], grace_s: float = GRACE_S) -> None:
    """Ask each leader to stop, then kill what is left of its group after `grace_s`."""
    left = list(pids)
    for pid in left:
        try:
            os.kill(pid, signal.SIGTERM)
        except (ProcessLookupError, PermissionError):
            pass
    give_up_at = time.monotonic() + grace_s
    while left and time.monotonic() < give_up_at:
        left = [pid for pid in left if signal_group(pid, 0)]
        time.sleep(0.02)
    for pid in left:
        signal_group(pid, signal.SIGKILL)


def main() -> None:
    """Read what to guard until the pipe ends, then end it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    guarded: set[int] = set()
    for line in sys.stdin:
        change = guarded.add if line[0] == "+" else guarded.discard
        change(int(line[1:]))
    end_groups(guarded)


if __name__ == "__main__":
    main()
