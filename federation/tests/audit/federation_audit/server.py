"""The audit's own server: started from a checkout, or found at an address. It serves the suites and their subgraphs."""

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STARTER = Path(__file__).with_name("serve_audit.mjs")
_START_TIMEOUT_S = 60.0


class AuditServerError(RuntimeError):
    """The audit's server did not start or did not answer; the message says what to do."""


@dataclass(frozen=True, slots=True)
class AuditServer:
    """A running server of the audit."""

    url: str

    def suites(self) -> list[str]:
        """Ids of all suites, sorted."""
        return sorted(self._get_json("/ids"))

    def supergraph_sdl(self, suite: str) -> str:
        """The composed supergraph of one suite, with its subgraphs' addresses on this server."""
        return self._get(f"/{suite}/supergraph").decode()

    def cases(self, suite: str) -> list[dict[str, object]]:
        """`{query, expected: {data, errors?}}` per case. Asked anew for each run: mutations carry fresh request ids."""
        cases: list[dict[str, object]] = self._get_json(f"/{suite}/tests")
        return cases

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            body: bytes = answer.read()
        return body

    def _get_json(self, path: str) -> list:  # type: ignore[type-arg]
        value: list = json.loads(self._get(path))  # type: ignore[type-arg]
        return value


@contextmanager
def running_server(*, strict_plans: bool) -> Iterator[AuditServer]:
    """The server at AUDIT_URL, or one started from AUDIT_DIR and stopped afterwards.

    strict_plans: subgraphs refuse what a good plan would not ask (PUNISH_FOR_POOR_PLANS=1); a server at AUDIT_URL
    keeps the setting it was started with.
    Raises: AuditServerError.
    """
    if url := os.environ.get("AUDIT_URL"):
        yield AuditServer(url.rstrip("/"))
        return
    checkout = Path(os.environ["AUDIT_DIR"]).resolve()
    if not (checkout / "node_modules/tsx").is_dir():
        raise AuditServerError(
            f"{checkout} has no packages installed; `python -m federation_audit prepare` does it"
        )
    port = free_port()
    environment = {
        **os.environ,
        "AUDIT_DIR": str(checkout),
        "PUNISH_FOR_POOR_PLANS": "1" if strict_plans else "0",
    }
    process = subprocess.Popen(
        ["node", "--import", "tsx", str(_STARTER), str(port)],
        cwd=checkout,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        server = AuditServer(f"http://localhost:{port}")
        wait_answer(f"{server.url}/ids", process, _START_TIMEOUT_S)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_answer(url: str, process: subprocess.Popen[bytes], timeout_s: float) -> None:
    """Return once `url` answers 200.

    Raises: AuditServerError when the process ends or the time is over.
    """
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at:
        if process.poll() is not None:
            raise AuditServerError(f"the process for {url} ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=timeout_s):
                return
        except OSError:
            time.sleep(0.02)
    raise AuditServerError(f"{url} did not answer within {timeout_s:.0f} s")


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
