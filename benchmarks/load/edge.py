"""CPU time of one request through the edge's data path, and what each step costs.

`python benchmarks/load/edge.py [--seconds 4] [--runs 3] [--nginx]`. Needs wrk (and nginx with --nginx). The proxy is pinned to
core 0; origin and wrk to core 1. Cases run alternately; the figure is CPU time of the proxy's process (from
/proc/PID/stat) per request, median of the runs. 64 keep-alive connections, 480 bytes of JSON, a bearer token.
"""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

BODY = b'{"padding":"' + b"x" * 466 + b'"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nserver: bench\r\ndate: Wed, 25 Nov 2026 04:00:00 GMT\r\ncontent-type: application/json\r\n"
    b"content-length: 480\r\nconnection: keep-alive\r\n\r\n" + BODY
)
TOKEN = "eyJ" + "x" * 600
CASES = ["plain", "authenticate", "identity", "limit", "breaker", "record", "all"]
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


# --- processes under test


def run_origin(port: int) -> None:
    """Answer whatever ends in an empty line."""
    import uvloop

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(ANSWER * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
        await server.serve_forever()

    os.sched_setaffinity(0, {1})
    uvloop.run(main())


def run_edge(port: int, origin_port: int, case: str) -> None:
    """Serve the data path with the steps of `case` switched on."""
    import hashlib

    import uvloop

    from trivium_common.auth.development import development_private_key
    from trivium_common.auth.edge_identity import EdgeIdentitySigner
    from trivium_common.http import PoolLimits, Timeouts
    from trivium_common.resilience.breaker import BreakerPolicy
    from trivium_edge.proxy import (
        EdgeExchange,
        Identity,
        IdentityHeaders,
        NodeSpec,
        Proxy,
        Upstream,
        UpstreamSpec,
        compile_rewrite,
    )

    steps = set(CASES) if case == "all" else {"authenticate", case} if case == "identity" else {case}
    verified: dict[bytes, Identity] = {}

    def verify(exchange: EdgeExchange) -> Identity:
        client = exchange.client
        digest = client.credential
        if digest is None:
            digest = client.credential = hashlib.sha256(exchange.fields[b"authorization"]).digest()
        identity = verified.get(digest)
        if identity is None or identity.expires_at < time.time():
            identity = verified[digest] = Identity(
                "u1", "web-app", "web", digest, "ada@example.com", ("customer",)
            )
        return identity

    class Verdict(NamedTuple):
        allowed: bool
        limit: int
        remaining: int
        retry_after_s: float
        rule: str

    class Bucket:
        def __init__(self) -> None:
            self.buckets: dict[str, tuple[float, float]] = {}

        def take_nowait(self, exchange: EdgeExchange, cost: int = 1) -> Verdict:
            key = exchange.identity.subject if exchange.identity else exchange.client_address
            now = time.monotonic()
            tokens, at = self.buckets.get(key, (1e6, now))
            tokens = min(1e6, tokens + (now - at) * 1e6) - cost
            self.buckets[key] = (tokens, now)
            return Verdict(tokens >= 0, 1_000_000, int(tokens), 0.0, "web/bucket")

    class Counting:
        def __init__(self) -> None:
            self.requests: dict[tuple[str, int], int] = {}

        def record(self, exchange: EdgeExchange) -> None:
            key = (exchange.route.id if exchange.route else "", exchange.status)
            self.requests[key] = self.requests.get(key, 0) + 1

    @dataclass(frozen=True)
    class Route:
        upstream: Upstream
        id: str = "web"
        authenticate: object = verify if "authenticate" in steps else None
        authorise: object = None
        limits: tuple[Bucket, ...] = (Bucket(),) if "limit" in steps else ()
        rewrite: object = field(default_factory=lambda: compile_rewrite([("^/api/web/(.*)", "/$1")]))
        audience: str = "trivium-web"
        timeouts: Timeouts = field(default_factory=Timeouts)
        deadline_s: float = 30.0
        max_body_bytes: int = 2 << 20
        request_headers: tuple[()] = ()
        response_headers: tuple[()] = ()
        hidden_headers: frozenset[bytes] = frozenset()
        hide_limit_headers: bool = False

    @dataclass
    class Table:
        route: Route
        generation: int = 1

        def match(self, _method: str, _host: str, path: str) -> Route | None:
            return self.route if path.startswith("/api/web/") else None

    @dataclass
    class Tables:
        table: Table

    async def main() -> None:
        breaker = BreakerPolicy() if "breaker" in steps else None
        pool = PoolLimits(max_requests_per_connection=1_000_000)
        upstream = Upstream(
            UpstreamSpec("web", (NodeSpec(f"http://127.0.0.1:{origin_port}"),), breaker=breaker, pool=pool)
        )
        signer = EdgeIdentitySigner(development_private_key())
        proxy = Proxy(
            Tables(Table(Route(upstream))),
            identity_headers=IdentityHeaders(signer) if "identity" in steps else None,
            recorder=Counting() if "record" in steps else None,
        )
        await proxy.serve(socket.create_server(("127.0.0.1", port)))
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await stop.wait()

    os.sched_setaffinity(0, {0})
    if os.environ.get("PROFILE"):
        import cProfile

        profile = cProfile.Profile()
        profile.enable()
        uvloop.run(main())
        profile.disable()
        profile.dump_stats(os.environ["PROFILE"])
        return
    uvloop.run(main())


NGINX = """
worker_processes 1; error_log {folder}/err crit; pid {folder}/pid; daemon off; worker_cpu_affinity 01;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000; keepalive_timeout 600s;
 limit_req_zone $http_authorization zone=z:10m rate=1000000r/s;
 upstream b {{ server 127.0.0.1:{origin}; keepalive 128; keepalive_requests 1000000; }}
 server {{ listen 127.0.0.1:{port}; location /api/web/ {{ limit_req zone=z burst=100000 nodelay; proxy_pass http://b/;
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Request-ID $request_id; }} }} }}
"""


# --- measuring


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its living children."""
    total = 0.0
    for member in [pid, *children_of(pid)]:
        fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return total


def children_of(pid: int) -> list[int]:
    """Process ids of the children."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def load(port: int, seconds: float, connections: int) -> tuple[int, str]:
    """Run wrk; returns the number of requests and the p99, and stops on any failed request."""
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    command += ["-H", f"Authorization: Bearer {TOKEN}", f"http://127.0.0.1:{port}/api/web/users/1"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(out)
    return int(re.search(r"(\d+) requests in", out)[1]), re.search(r"99%\s+(\S+)", out)[1]  # type: ignore[index]


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--cases", default="plain,all")
    parser.add_argument("--nginx", action="store_true")
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        role, *arguments = options.role
        if role == "origin":
            run_origin(int(arguments[0]))
        else:
            run_edge(int(arguments[0]), int(arguments[1]), arguments[2])
        return

    def spawn(*role: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, __file__, "--role", *map(str, role)])

    origin_port = free_port()
    processes: dict[str, tuple[int, subprocess.Popen[bytes]]] = {
        "origin": (origin_port, spawn("origin", origin_port))
    }
    folder = Path(tempfile.mkdtemp())
    for case in options.cases.split(","):
        port = free_port()
        processes[case] = (port, spawn("edge", port, origin_port, case))
    if options.nginx:
        port = free_port()
        (folder / "conf").write_text(NGINX.format(folder=folder, origin=origin_port, port=port))
        processes["nginx"] = (port, subprocess.Popen(["nginx", "-c", str(folder / "conf")]))
    try:
        for port, _ in processes.values():
            wait_for(port)
        measured = [name for name in processes if name != "origin"]
        figures: dict[str, list[float]] = {name: [] for name in measured}
        p99: dict[str, str] = {}
        for name in measured:
            load(processes[name][0], 1, options.connections)
        for _ in range(options.runs):
            for name in measured:
                port, process = processes[name]
                before = cpu_s(process.pid)
                requests, p99[name] = load(port, options.seconds, options.connections)
                figures[name].append((cpu_s(process.pid) - before) / requests * 1e6)
        for name in measured:
            runs = ", ".join(f"{figure:.1f}" for figure in figures[name])
            print(
                f"{name:14} {statistics.median(figures[name]):6.1f} us of CPU a request   p99 {p99[name]:>8}   runs: {runs}"
            )
    finally:
        for _, process in processes.values():
            process.terminate()
        for _, process in processes.values():
            process.wait(5)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
