"""A stack as a user starts it: `trivium up` as a process, watched from outside."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import httpx
import pytest

from trivium_cli.stack.guardian import Guardian
from trivium_cli.stack.preflight import find_taken_ports
from trivium_cli.stack.processes import NAMES, PROCESSES

# A start takes seconds; a machine that is busy with other things may take very much longer.
HEALTHY_LIMIT_S = 180.0
# The product promises 5 s; a busy machine may take longer to report it.
STOP_LIMIT_S = 15.0
WAIT_LIMIT_S = 60.0
_MARK = "TRIVIUM_TEST_STACK"
# Below the range from which Linux takes ports for outgoing connections.
_FIRST_BASE, _LAST_BASE, _BASE_STEP = 10_000, 23_000, 10


class StartStack(Protocol):
    """What the fixture `start_stack` gives: arguments of `trivium up`, then environment variables."""

    def __call__(self, *arguments: str, **environment: str) -> "RunningStack": ...


class CurlResult(NamedTuple):
    """What became of a printed curl line."""

    title: str
    expected: int
    status: int
    body: str


def wait_until(condition: Callable[[], object], what: str, limit_s: float = WAIT_LIMIT_S) -> None:
    """Return when `condition` holds; fail after `limit_s`, saying `what` was awaited."""
    give_up_at_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > give_up_at_s:
            pytest.fail(f"waited {limit_s:.0f} s until {what}")
        time.sleep(0.05)


def leave_out_all_but(*names: str) -> list[str]:
    """The arguments for a short stack."""
    return [word for name in NAMES if name not in names for word in ("--except", name)]


def find_free_base() -> int:
    """A port base at which nobody uses any port; sessions side by side begin to look at different places."""
    span = (_LAST_BASE - _FIRST_BASE) // _BASE_STEP
    for attempt in range(span):
        base = _FIRST_BASE + (os.getpid() * 37 + attempt * 101) % span * _BASE_STEP
        if not find_taken_ports(PROCESSES, base):
            return base
    pytest.fail("no port base is free")


class RunningStack:
    """`trivium up` on free ports in an empty folder."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port_base = find_free_base()
        self._mark = uuid.uuid4().hex
        self._folder = folder.resolve()
        self._log = folder / "log"
        self._log_mark = 0
        self._ready_file = folder / "ready.json"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "trivium_cli", "up"),
                    *("--port-base", str(self.port_base)),
                    *("--data-dir", str(folder / "data"), "--ready-file", str(self._ready_file)),
                    *arguments,
                ],
                env=_clean_environment() | {_MARK: self._mark} | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # A test run that is itself killed must not leave a stack behind.
        self._is_released = False
        self._guardian = Guardian()
        self._guardian.watch(self.process.pid)

    @property
    def log(self) -> str:
        """All that `trivium up` has printed so far."""
        return self._log.read_text(errors="replace")

    def mark_log(self) -> None:
        """Let `log_since_mark` begin here."""
        self._log_mark = self._log.stat().st_size

    def log_since_mark(self) -> str:
        """What was printed since `mark_log`."""
        return self._log.read_bytes()[self._log_mark :].decode(errors="replace")

    @property
    def ready(self) -> dict[str, Any]:
        """The ready file as it is now: process ids change when something is started again."""
        content: dict[str, Any] = json.loads(self._ready_file.read_text())
        return content

    def wait_healthy(self) -> None:
        """Return when the ready file is there."""

        def is_settled() -> bool:
            return self._ready_file.exists() or self.process.poll() is not None

        try:
            wait_until(is_settled, "the stack is healthy", HEALTHY_LIMIT_S)
            if self.process.returncode is not None:
                pytest.fail(f"trivium up ended with exit code {self.process.returncode}")
        except BaseException:
            self.kill()
            sys.stderr.write(self.log)
            raise

    def wait_logged(self, text: str) -> None:
        """Return when `text` was printed since `mark_log`."""
        wait_until(lambda: text in self.log_since_mark(), f"{text!r} is logged")

    def find_processes(self) -> list[int]:
        """Every process that descends from this stack and still runs.

        They are found by a mark in their environment, or by working in the stack's folder: Valkey writes its title
        over its environment.
        """
        mark = f"{_MARK}={self._mark}".encode()
        return [
            int(process.name)
            for process in Path("/proc").glob("[0-9]*")
            if _is_running(process) and (_is_marked(process, mark) or _is_working_in(process, self._folder))
        ]

    def pid(self, name: str) -> int:
        """The process id of a process of the table."""
        pid: int = self.ready["pids"][name]
        return pid

    def url(self, name: str) -> str:
        """The address of a process of the table."""
        url: str = self.ready["urls"][name]
        return url

    def authorize(self, client: str) -> dict[str, str]:
        """The header with the credential of ada's browser (web) or phone (mobile), or of the device d1 (iot)."""
        credentials = self.ready["credentials"]
        if client == "iot":
            return {"X-API-Key": credentials["iot_api_key"]}
        return {"Authorization": f"Bearer {credentials[f'{client}_token']}"}

    def connect(self, name: str) -> httpx.Client:
        """A client of a process of the table."""
        return httpx.Client(base_url=self.url(name), timeout=40.0, trust_env=False)

    @contextlib.contextmanager
    def faults(self, name: str, **plan: object) -> Iterator[None]:
        """Let the demo upstream `name` misbehave inside the block."""
        with self.connect(name) as client:
            client.post("/_control", json=plan).raise_for_status()
            try:
                yield
            finally:
                client.delete("/_control").raise_for_status()

    def run_curls(self) -> list["CurlResult"]:
        """Run each curl line of the ready file as it is."""
        return [
            CurlResult(curl["title"], curl["expect_status"], *run_curl(curl["command"]))
            for curl in self.ready["curl"]
        ]

    def stop_cleanly(self, number: int = signal.SIGINT) -> None:
        """Ask the stack to stop; it must end with exit code 0, in time, and leave no process."""
        self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_LIMIT_S)
            assert code == 0, self.log
            wait_until(lambda: not self.find_processes(), "no process is left")
            assert not self._ready_file.exists()
        finally:
            self.kill()

    def kill(self) -> None:
        """Leave nothing behind, whatever happened."""
        for pid in self.find_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        if not self._is_released:
            self._is_released = True
            self._guardian.release(self.process.pid)
            self._guardian.close()


def run_curl(command: str) -> tuple[int, str]:
    """Run a pasted curl line; status and output. Without curl on this machine, send what it would send."""
    if shutil.which("curl"):
        shown = subprocess.run(
            f"{command} -w '\n%{{http_code}}'",
            shell=True,
            capture_output=True,
            text=True,
            timeout=40,
            check=True,
        )
        output, _, status = shown.stdout.rpartition("\n")
        return int(status), output
    words = iter(shlex.split(command)[1:])
    url, headers, body = "", {}, None
    for word in words:
        if word == "-H":
            value = next(words)
            line = Path(value[1:]).read_text().strip() if value.startswith("@") else value
            headers[line.partition(":")[0]] = line.partition(":")[2].strip()
        elif word == "-d":
            body = next(words)
        elif not word.startswith("-"):
            url = word
    answer = httpx.request("POST" if body else "GET", url, headers=headers, content=body, trust_env=False)
    return answer.status_code, answer.text


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TRIVIUM_", "REDIS_"))}


def _is_running(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def _is_marked(process: Path, mark: bytes) -> bool:
    try:
        return mark in (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _is_working_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False
