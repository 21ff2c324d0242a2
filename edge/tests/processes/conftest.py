"""The real edge: a supervisor, two workers, a BFF and an OpenID provider on loopback. Nothing in here sleeps blindly."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from trivium_common.auth.development import ADMIN_API_KEY, DEVICE_API_KEYS, hash_api_key

LIMIT_S = 30.0
CONFIG = """\
format_version: 1
global:
  workers: ${{env:WORKERS:-2}}
  drain_timeout: 5s
  proxy: {{port: 0}}
  admin: {{port: 0, keys: [{{id: test, hash: "{admin_hash}"}}]}}
  status: {{port: 0}}
  metrics: {{port: 0}}
  limits: {{max_body: 64KiB}}
  token_issuers:
    - {{name: main, issuer: "{issuer}"}}
consumers:
  - {{name: web-app, kind: web, client_ids: [trivium-web]}}
  - {{name: mobile-app, kind: mobile, client_ids: [trivium-mobile]}}
  - name: thermostat
    kind: iot
    api_keys: [{{id: one, hash: "{device_hash}", subject: d1}}]
upstreams:
  bff: {{nodes: [{{url: "{bff}"}}], timeout: {{connect: 1s, send: 2s, read: 2s}}}}
  slow: {{nodes: [{{url: "{bff}"}}], timeout: {{connect: 1s, send: 2s, read: 300ms}}}}
  gone: {{nodes: [{{url: "http://127.0.0.1:1"}}], timeout: {{connect: 1s}}}}
routes:
  - id: web
    uri: /api/web/*
    upstream: bff
    client_kind: web
    audience: web
    filters:
      jwt-auth: {{}}
      limit: {{rate: 1000, burst: 1000}}
      proxy-rewrite: {{regex_uri: ["^/api/web/(.*)", "/$1"]}}
  - id: iot
    uri: /api/iot/*
    upstream: bff
    client_kind: iot
    audience: iot
    filters:
      key-auth: {{}}
      limit: {{rate: 1000, burst: 1000}}
      proxy-rewrite: {{regex_uri: ["^/api/iot/(.*)", "/$1"]}}
  - id: scarce
    uri: /scarce/*
    methods: [GET]
    upstream: bff
    filters: {{limit: {{rate: 0.5, burst: 3, limit_by: route}}}}
  - id: gone
    uri: /gone
    upstream: gone
    filters: {{limit: {{rate: 1000, burst: 1000}}}}
  - id: slow
    uri: /slow/*
    upstream: slow
    filters: {{limit: {{rate: 1000, burst: 1000}}}}
  - id: open
    uri: /open/*
    upstream: bff
    filters: {{limit: {{rate: 100000, burst: 100000, limit_by: route}}}}
"""


class Origin:
    """A BFF that shows what it got, and an OpenID provider, on one port."""

    def __init__(self, port: int = 0) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"}, private=True)
        self.release = threading.Event()
        self.entered = threading.Event()
        origin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body in one segment: in two, Nagle's algorithm holds each answer up for 40 ms.
            wbufsize = 1 << 16

            def do_GET(self) -> None:
                origin.answer(self)

            do_POST = do_GET  # noqa: N815 - the name that http.server calls

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        request.rfile.read(int(request.headers.get("content-length", 0)))
        document: dict[str, Any]
        if request.path == "/.well-known/openid-configuration":
            document = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        elif request.path == "/jwks":
            document = {"keys": [self.key.as_dict(private=False)]}
        else:
            if request.path.endswith("/wait"):
                self.entered.set()
                self.release.wait(LIMIT_S)
            document = {"path": request.path, "headers": {k.lower(): v for k, v in request.headers.items()}}
        body = orjson.dumps(document)
        try:
            request.send_response(200)
            request.send_header("content-type", "application/json")
            request.send_header("content-length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass

    def token(self, client_id: str = "trivium-web", **claims: object) -> str:
        """An access token of ada."""
        now = int(time.time())
        payload = {
            "iss": self.url,
            "sub": "u1",
            "aud": "trivium",
            "azp": client_id,
            "iat": now,
            "exp": now + 300,
        }
        payload |= {"email": "ada@example.com", "realm_access": {"roles": ["customer", "admin"]}, **claims}
        return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": "k1"}, payload, self.key)

    def close(self) -> None:
        """Stop answering."""
        self.release.set()
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Edge:
    """A running edge."""

    config: Path
    process: subprocess.Popen[bytes]
    ports: dict[str, int] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    output: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['proxy']}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        """One request on a connection of its own."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(self.url + path, headers=names, timeout=LIMIT_S, trust_env=False)

    def admin(
        self, method: str, path: str, key: str | None = ADMIN_API_KEY, **options: Any
    ) -> httpx.Response:
        """One request to the admin API."""
        headers = {} if key is None else {"X-API-Key": key}
        url = f"http://127.0.0.1:{self.ports['admin']}{path}"
        return httpx.request(method, url, headers=headers, timeout=LIMIT_S, trust_env=False, **options)

    def ready(self) -> tuple[int, dict[str, Any]]:
        """Status and document of /readyz; (0, {}) while nothing answers."""
        try:
            found = httpx.get(
                f"http://127.0.0.1:{self.ports['status']}/readyz", timeout=LIMIT_S, trust_env=False
            )
        except httpx.TransportError:
            return 0, {}
        return found.status_code, found.json()

    def metrics(self) -> dict[str, float]:
        """Every sample by its name and labels as they are written."""
        text = httpx.get(
            f"http://127.0.0.1:{self.ports['metrics']}/metrics", timeout=LIMIT_S, trust_env=False
        ).text
        samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in samples}

    def workers(self) -> list[int]:
        """The workers' process ids, as the system knows them."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
        return found

    def lines(self, message: str) -> list[dict[str, Any]]:
        """The log lines with a message."""
        return [line for line in self.log if line["message"] == message]

    def access_lines(self) -> list[dict[str, Any]]:
        """The access log so far."""
        return [json.loads(line) for line in self.output]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


def wait_until(is_so: Callable[[], Any], what: str = "") -> Any:
    """Wait for a condition across processes, with a limit; its value."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"waited {LIMIT_S} s in vain for {what or is_so}"
        time.sleep(0.02)
    return found


def read_lines(stream: Any, take: Callable[[bytes], None]) -> None:
    """Hand each line of a stream to `take`, on a thread of its own."""

    def run() -> None:
        for line in stream:
            take(line)

    threading.Thread(target=run, daemon=True).start()


class Starter:
    """Starts edges in a folder, and stops what was started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.edges: list[Edge] = []
        self.origins: list[Origin] = []

    def origin(self, port: int = 0) -> Origin:
        """A new origin."""
        origin = Origin(port)
        self.origins.append(origin)
        return origin

    def configure(self, origin: Origin | str, change: Callable[[str], str] = str) -> Path:
        """Write a configuration."""
        url = origin if isinstance(origin, str) else origin.url
        text = CONFIG.format(
            issuer=url,
            bff=url,
            admin_hash=hash_api_key(ADMIN_API_KEY),
            device_hash=hash_api_key(DEVICE_API_KEYS["d1"]),
        )
        path = self.folder / "gateway.yaml"
        path.write_text(change(text))
        return path

    def start(self, config: Path, *, read_output: bool = True, wait: bool = True, **environment: str) -> Edge:
        """Start an edge and wait until all of its workers serve."""
        process = subprocess.Popen(
            [sys.executable, "-m", "trivium_edge", "run", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "TRIVIUM_LOG": "json", **environment},
            start_new_session=True,
        )
        edge = Edge(config, process)
        self.edges.append(edge)
        read_lines(process.stderr, lambda line: edge.log.append(json.loads(line)))
        if read_output:
            read_lines(process.stdout, edge.output.append)
        if wait:
            edge.ports = wait_until(lambda: edge.lines("the edge serves"), "the edge to serve")[0]["ports"]
        return edge

    def close(self) -> None:
        """Stop everything."""
        for origin in self.origins:
            origin.release.set()
        for edge in self.edges:
            if edge.process.poll() is None:
                os.killpg(edge.process.pid, signal.SIGKILL)
            edge.process.wait(LIMIT_S)
            for stream in (edge.process.stdout, edge.process.stderr):
                if stream is not None:
                    stream.close()
        for origin in self.origins:
            origin.close()


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., Any]:
    """Hand `wait_until` to tests."""
    return wait_until


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    """For tests that start, hurt and stop an edge of their own."""
    starter = Starter(tmp_path)
    yield starter
    starter.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, Origin]]:
    """One edge for all tests of a module that only ask it."""
    starter = Starter(tmp_path_factory.mktemp("edge"))
    origin = starter.origin()
    edge = starter.start(starter.configure(origin), WORKERS="4")
    wait_until(lambda: edge.ready()[0] == 200, "readiness")
    yield edge, origin
    starter.close()


@pytest.fixture
def edge(shared: tuple[Edge, Origin]) -> Edge:
    """The module's edge, four workers."""
    return shared[0]


@pytest.fixture
def origin(shared: tuple[Edge, Origin]) -> Origin:
    """What stands behind the module's edge."""
    return shared[1]


@pytest.fixture
def device_key() -> str:
    """The API key of the thermostat."""
    return DEVICE_API_KEYS["d1"]


@pytest.fixture
def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
