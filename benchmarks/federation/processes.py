"""Starting processes on one core, and reading from /proc what they used."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_START_TIMEOUT_S = 60.0


@contextmanager
def running(
    command: Sequence[str], core: int, health_url: str, folder: Path, log: Path
) -> Iterator[tuple[int, float]]:
    """A process pinned to a core, with its children; yields its id and the seconds until it was healthy."""
    pinned = ["taskset", "-c", str(core), *command]
    started_at = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            pinned,
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "NODE_ENV": "production"},
        )
    try:
        _wait_healthy(health_url, process, log)
        yield process.pid, time.monotonic() - started_at
    finally:
        _stop(process)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process and its living children have used."""
    total = 0
    for member in _tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS_PER_S


def memory_mib(pid: int) -> float:
    """Resident memory of a process and its children."""
    total = 0
    for member in _tree(pid):
        try:
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{member}/status").read_text())
        except OSError:
            continue
        total += int(found.group(1)) if found else 0
    return total / 1024


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        member = waiting.pop()
        found.append(member)
        waiting += children.get(member, [])
    return found


def _wait_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{url} did not answer; its output is in {log}:\n{log.read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # The group is this process's own (start_new_session), so nothing else is hit.
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
