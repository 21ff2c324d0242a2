"""A real edge process between a test and an upstream that records."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
from forger import Forger
from recording_origin import RecordingOrigin
from running_stack import wait_until

from trivium_common.auth.development import ADMIN_API_KEY, DEVICE_API_KEYS, hash_api_key

CONFIG = """\
format_version: 1
global:
  workers: 2
  drain_timeout: 5s
  proxy: {{port: 0}}
  admin: {{port: 0, keys: [{{id: test, hash: "{admin_hash}"}}]}}
  status: {{port: 0}}
  metrics: {{port: 0}}
  limits: {{max_body: 64KiB, header_timeout: 500ms, body_timeout: 500ms}}
  token_issuers: [{{name: main, issuer: "{issuer}"}}]
consumers:
  - {{name: web-app, kind: web, client_ids: [trivium-web]}}
  - {{name: mobile-app, kind: mobile, client_ids: [trivium-mobile]}}
  - {{name: thermostat, kind: iot, api_keys: [{{id: one, hash: "{device_hash}", subject: d1}}]}}
upstreams:
  bff: {{nodes: [{{url: "{bff}"}}], breaker: {{enabled: false}}}}
  watched: {{nodes: [{{url: "{bff}"}}]}}
  unknown-name: {{nodes: [{{url: "http://no-such-host.invalid"}}]}}
  untrusted-tls: {{nodes: [{{url: "https{provider_rest}"}}], timeout: {{connect: 2s}}}}
filters: {{limit: {{rate: 100000, burst: 100000, limit_by: route}}}}
routes:
  - {{id: open, uri: /open/*, upstream: bff}}
  - {{id: watched, uri: /watched/*, upstream: watched}}
  - {{id: web, uri: /web/*, upstream: bff, client_kind: web, audience: web, filters: {{jwt-auth: {{}}}}}}
  - {{id: iot, uri: /iot/*, upstream: bff, client_kind: iot, audience: iot, filters: {{key-auth: {{}}}}}}
  - {{id: scarce, uri: /scarce/*, upstream: bff, filters: {{limit: {{rate: 0.01, burst: 2, limit_by: address}}}}}}
  - {{id: refilling, uri: /refilling/*, upstream: bff, filters: {{limit: {{rate: 4, burst: 5, limit_by: route}}}}}}
  - {{id: internal, uri: /secret/*, hosts: [internal.example], upstream: bff}}
  - {{id: short, uri: /short/*, upstream: bff, deadline: 700ms}}
  - {{id: unknown-name, uri: /unknown-name/*, upstream: unknown-name}}
  - {{id: untrusted-tls, uri: /untrusted-tls/*, upstream: untrusted-tls}}
"""


class AttackedEdge:
    """The edge's process, the upstream behind it and the provider whose tokens it takes."""

    def __init__(self, folder: Path) -> None:
        self.forger = Forger()
        documents: dict[str, object] = {"/jwks": {"keys": [self.forger.jwk(self.forger.key)]}}
        self.provider = RecordingOrigin(documents)
        self.forger.issuer = self.provider.url
        documents["/.well-known/openid-configuration"] = {
            "issuer": self.provider.url,
            "jwks_uri": f"{self.provider.url}/jwks",
        }
        self.origin = RecordingOrigin()
        self.access_log: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []
        self._config = folder / "gateway.yaml"
        self._config.write_text(self._configuration())
        self.process = self._start()
        self.ports: dict[str, int] = {}

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self.ports['proxy']}"

    def wait_ready(self) -> None:
        """Return when all workers serve and the provider's keys are there."""

        def serving() -> list[dict[str, Any]]:
            assert self.process.poll() is None, self.log
            return [line for line in self.log if line["message"] == "the edge serves"]

        wait_until(serving, "the edge serves")
        self.ports = serving()[0]["ports"]
        wait_until(lambda: self.readiness() == "ready", "the edge is ready")

    def readiness(self) -> str:
        """What /readyz says, empty while it does not answer."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ports['status']}/readyz", timeout=10, trust_env=False)
        except httpx.TransportError:
            return ""
        return str(answer.json()["status"])

    def get(self, path: str, headers: dict[str, str] | None = None, **options: Any) -> httpx.Response:
        """One GET on a connection of its own."""
        return httpx.get(self.url + path, headers=headers, timeout=30, trust_env=False, **options)

    def memory_mib(self) -> float:
        """Memory of the supervisor and its workers."""
        pids = [self.process.pid, *self.workers()]
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in found.split()]

    def close(self) -> None:
        """End everything."""
        self.origin.close()
        self.provider.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def _configuration(self) -> str:
        return CONFIG.format(
            issuer=self.provider.url,
            bff=self.origin.url,
            provider_rest=self.provider.url.removeprefix("http"),
            admin_hash=hash_api_key(ADMIN_API_KEY),
            device_hash=hash_api_key(DEVICE_API_KEYS["d1"]),
        )

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "trivium_edge", "run", "--config", str(self._config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TRIVIUM_LOG": "json"},
            start_new_session=True,
        )
        for stream, lines in ((process.stdout, self.access_log), (process.stderr, self.log)):
            threading.Thread(target=_collect, args=(stream, lines), daemon=True).start()
        return process


def _collect(stream: Any, lines: list[dict[str, Any]]) -> None:
    take = lines.append  # one by one: tests look at the list while it grows
    for line in stream:
        take(json.loads(line))
