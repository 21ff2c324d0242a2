"""Does each deployable stand alone? Installs each into a clean environment from its own lock and asks its /livez.

Standard library only: `make isolate` runs it with any Python, outside of the workspace's environment. What is built
goes to a temporary folder; downloads stay in pip's cache, so that the next run needs no network.
"""
# ruff: noqa: S603, T201 - a script of the checkout: it runs what stands here and prints for people

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ("common", "federation")
AT_ONCE = 2
INSTALL_LIMIT_S = 200.0
START_LIMIT_S = 30.0
STOP_LIMIT_S = 10.0


@dataclass(frozen=True)
class Deployable:
    """`command` follows `python`; `{name}` in it and in `environment` is a free port, the one called `ask` answers /livez."""

    name: str
    folder: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = (("TRIVIUM_PORT", "{ask}"),)


DEPLOYABLES = (
    Deployable(
        "edge",
        "edge",
        ("-m", "trivium_edge", "run", "--config", str(ROOT / "edge" / "gateway.yaml")),
        (
            ("TRIVIUM_EDGE_PORT", "{proxy}"),
            ("TRIVIUM_EDGE_TLS_PORT", "{tls}"),
            ("TRIVIUM_EDGE_ADMIN_PORT", "{admin}"),
            ("TRIVIUM_EDGE_STATUS_PORT", "{ask}"),
            ("TRIVIUM_EDGE_METRICS_PORT", "{metrics}"),
        ),
    ),
    Deployable("web", "bffs/web", ("-m", "trivium_web")),
    Deployable("mobile", "bffs/mobile", ("-m", "trivium_mobile")),
    Deployable("iot", "bffs/iot", ("-m", "trivium_iot")),
    Deployable("demo", "demo", ("-m", "trivium_demo", "users")),
)


class Failed(Exception):
    """A step went wrong; the message is what it printed."""


@dataclass
class Result:
    """How a deployable fared; `failure` is empty when it answered."""

    name: str
    failure: str = ""
    packages: int = 0
    install_s: float = 0.0
    start_s: float = 0.0


def run(command: list[str], limit_s: float = INSTALL_LIMIT_S) -> str:
    """Run a step in the checkout; its output, or Failed with the end of it."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(command)}: took longer than {limit_s:.0f} s") from None
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{output[-3000:]}")
    return output


class Builder:
    """An environment with pip and the build backend; installs into others, which therefore need no pip."""

    def __init__(self, folder: Path) -> None:
        self._wheels = folder / "wheels"
        venv.create(folder / "builder", with_pip=True)
        self._pip = [str(folder / "builder" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        run([*self._pip, "install", "--quiet", "-c", "requirements.lock", "hatchling"])

    def build_wheels(self) -> None:
        """Build what the deployables are made of."""
        folders = [*SHARED, *(deployable.folder for deployable in DEPLOYABLES)]
        run(
            [
                *(*self._pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
                *("--wheel-dir", str(self._wheels)),
                *(f"./{folder}" for folder in folders),
            ]
        )

    def install(self, python: Path, deployable: Deployable) -> int:
        """Install a deployable from its lock, then itself from the wheels; returns how many packages there are.

        The second step has no index: what the lock forgot is missing, and fails here.
        """
        pip = [*self._pip, "--python", str(python)]
        # Compiling everything to bytecode takes longer than compiling what the process imports.
        run([*pip, "install", "--quiet", "--no-compile", "-r", f"{deployable.folder}/requirements.lock"])
        offline = ["--no-index", "--find-links", str(self._wheels)]
        run([*pip, "install", "--quiet", "--no-compile", *offline, f"trivium-{deployable.name}"])
        run([*pip, "check"])
        return len(list(python.parent.parent.glob("lib/python3*/site-packages/*.dist-info")))


def check_alone(builder: Builder, folder: Path, deployable: Deployable) -> Result:
    """Install, start, ask, stop."""
    result = Result(deployable.name)
    home = folder / deployable.name
    try:
        began = time.monotonic()
        venv.create(home / "venv", with_pip=False)
        python = home / "venv" / "bin" / "python"
        result.packages = builder.install(python, deployable)
        result.install_s = time.monotonic() - began
        result.start_s = ask_livez(python, home, deployable)
    except Failed as failure:
        result.failure = str(failure)
    print(f"{deployable.name}: {'failed' if result.failure else 'passed'}", file=sys.stderr, flush=True)
    return result


def ask_livez(python: Path, home: Path, deployable: Deployable) -> float:
    """Start a deployable in an empty folder until it answers, stop it; returns how long it took to answer."""
    ports = find_free_ports(("ask", "proxy", "tls", "admin", "metrics"))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRIVIUM_", "PYTHON"))
    }
    environment.update({name: value.format(**ports) for name, value in deployable.environment})
    environment["TRIVIUM_DATA_DIR"] = str(home / "data")
    log = home / "log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), *deployable.command],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_alive(process, ports["ask"])
        start_s = time.monotonic() - began
        process.terminate()
        if process.wait(STOP_LIMIT_S):
            raise Failed(f"exit code {process.returncode} after SIGTERM")
    except subprocess.TimeoutExpired:
        raise Failed(f"did not stop within {STOP_LIMIT_S:.0f} s of SIGTERM\n{tail(log)}") from None
    except Failed as failure:
        raise Failed(f"{failure}\n{tail(log)}") from None
    finally:
        kill_group(process)
    return start_s


def wait_alive(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Return when GET /livez is answered 200."""
    give_up_at = time.monotonic() + START_LIMIT_S
    answer = "nothing"
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            raise Failed(f"ended with exit code {process.returncode} before it answered /livez")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/livez")
            answer = str(connection.getresponse().status)
            if answer == "200":
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise Failed(f"/livez was answered with {answer} for {START_LIMIT_S:.0f} s")


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Leave nothing of it behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    process.wait()


def find_free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A port for each name that nobody uses at the moment."""
    sockets = [socket.socket() for _ in names]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}
    finally:
        for one in sockets:
            one.close()


def tail(log: Path) -> str:
    """The end of a log."""
    return log.read_text(errors="replace")[-3000:]


def show(results: list[Result]) -> None:
    """The table, the failures above it."""
    for result in results:
        if result.failure:
            print(f"--- {result.name}\n{result.failure}\n")
    print(f"{'deployable':<12}{'packages':>9}{'install':>10}{'start':>9}  result")
    for result in results:
        outcome = "failed" if result.failure else "passed"
        times = f"{result.install_s:>8.1f} s{result.start_s:>7.1f} s"
        print(f"{result.name:<12}{result.packages:>9}{times}  {outcome}")
    failed = sum(bool(result.failure) for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")


def main() -> int:
    """Check those named on the command line, or all."""
    wanted = sys.argv[1:]
    chosen = [deployable for deployable in DEPLOYABLES if not wanted or deployable.name in wanted]
    if unknown := set(wanted) - {deployable.name for deployable in chosen}:
        print(f"isolate: unknown: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="trivium-isolate-") as name:
        folder = Path(name)
        try:
            builder = Builder(folder)
            builder.build_wheels()
        except Failed as failure:
            print(f"isolate: {failure}", file=sys.stderr)
            print(f"0 passed, {len(chosen)} failed")
            return 1
        with ThreadPoolExecutor(AT_ONCE) as threads:
            results = list(threads.map(lambda one: check_alone(builder, folder, one), chosen))
    show(results)
    return 1 if any(result.failure for result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
