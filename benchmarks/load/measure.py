"""Start proxies on one core, drive them with wrk from the other, read from /proc what a request cost."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

PROXY_CORE, REST_CORE = "0", "1"
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_START_LIMIT_S = 30.0
_DURATION = re.compile(r"99%\s+([0-9.]+)(us|ms|s)")
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Sample(NamedTuple):
    """One run: CPU microseconds of the process tree for each request, and what wrk saw."""

    cpu_us: float
    requests_per_s: float
    p99_ms: float


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def start(command: Sequence[str], core: str, port: int, log: Path) -> subprocess.Popen[bytes]:
    """Start a process pinned to a core and wait until it listens. Raises: RuntimeError with the end of its log."""
    # The access log goes where a log goes, to a file; it is no terminal and nobody reads it meanwhile.
    with log.open("w") as output:
        process = subprocess.Popen(
            ["taskset", "-c", core, *command], stdout=output, stderr=output, start_new_session=True
        )
    give_up_at = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            time.sleep(0.02)
        else:
            return process
    stop(process)
    raise RuntimeError(f"{command[0]} does not serve:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started: its group is its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def drive(process: subprocess.Popen[bytes], url: str, token: str, connections: int, seconds: float) -> Sample:
    """Load a proxy for some seconds. Raises: RuntimeError when a single request failed."""
    command = ["taskset", "-c", REST_CORE, "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    # Patient: a proxy that is slow shall be seen slow, not called broken.
    command += ["--timeout", "30s", "--latency", "-H", f"Authorization: Bearer {token}", url]
    before_s = cpu_s(process.pid)
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used_s = cpu_s(process.pid) - before_s
    requests = re.search(r"(\d+) requests in", out)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", out)
    p99 = _DURATION.search(out)
    if "Non-2xx" in out or "Socket errors" in out or not (requests and rate and p99 and int(requests[1])):
        raise RuntimeError(f"requests failed:\n{out}")
    return Sample(used_s / int(requests[1]) * 1e6, float(rate[1]), float(p99[1]) * _MS[p99[2]])


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and everything below it that lives."""
    ticks = 0
    for member in _tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_PER_S


def memory_mib(pid: int) -> float:
    """Memory of a process and everything below it that nobody else uses (Pss)."""
    total = 0
    for member in _tree(pid):
        try:
            found = re.search(
                r"^Pss:\s+(\d+)", Path(f"/proc/{member}/smaps_rollup").read_text(), re.MULTILINE
            )
        except OSError:
            continue
        total += int(found[1]) if found else 0
    return total / 1024


def _tree(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        member = waiting.pop()
        found.append(member)
        try:
            children = Path(f"/proc/{member}/task/{member}/children").read_text()
        except OSError:
            continue
        waiting += [int(child) for child in children.split()]
    return found
