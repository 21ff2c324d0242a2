"""What the edge's own code costs a request, without sockets: `python benchmarks/micro/edge_path.py [REQUESTS] [--profile]`.

Both connections get transports that swallow what is written; the answer is fed by hand. What is missing against
`benchmarks/run.py` is the event loop and the kernel. Best of seven rounds, since the machine may be shared.
"""

import asyncio
import hashlib
import sys
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from trivium_common.auth.development import development_private_key
from trivium_common.auth.edge_identity import EdgeIdentitySigner
from trivium_common.http import PoolLimits, Timeouts
from trivium_common.http.connection import ClientConnection
from trivium_common.http.server_connection import ServerConnection
from trivium_common.http.wheel import wheel_of
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

REQUEST = (
    b"GET /api/web/users/1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nUser-Agent: bench\r\nAccept: application/json\r\n"
    b"Authorization: Bearer " + b"x" * 600 + b"\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nserver: bench\r\ndate: Wed, 25 Nov 2026 04:00:00 GMT\r\ncontent-type: application/json\r\n"
    b"content-length: 480\r\nconnection: keep-alive\r\n\r\n" + b"x" * 480
)


class Swallowing:
    """A transport that goes nowhere."""

    def write(self, data: bytes) -> None:
        """Take the bytes."""

    def get_extra_info(self, name: str) -> object:
        """Tell the peer."""
        return ("127.0.0.1", 5000) if name == "peername" else None

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def abort(self) -> None:
        """End."""

    close = pause_reading = resume_reading = abort


@dataclass(frozen=True)
class Route:
    """A route with every step on."""

    upstream: Upstream
    limits: tuple[object, ...]
    authenticate: object
    id: str = "web"
    authorise: object = None
    rewrite: object = field(default_factory=lambda: compile_rewrite([("^/api/web/(.*)", "/$1")]))
    audience: str = "trivium-web"
    timeouts: Timeouts = field(default_factory=Timeouts)
    deadline_s: float = 30.0
    max_body_bytes: int = 2 << 20
    request_headers: tuple[()] = ()
    response_headers: tuple[()] = ()
    hidden_headers: frozenset[bytes] = frozenset()
    hide_limit_headers: bool = False


class Verdict(NamedTuple):
    """What a limit says."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: float
    rule: str


class Steps:
    """Stand-ins for the other rooms' steps, as cheap as the real ones may be."""

    def __init__(self) -> None:
        self.verified: dict[bytes, Identity] = {}
        self.verdict = Verdict(True, 1_000_000, 999_999, 0.0, "web/bucket")
        self.count = 0
        self.table = self

    def authenticate(self, exchange: EdgeExchange) -> Identity:
        """Find the identity by the digest of the token."""
        client = exchange.client
        digest = client.credential
        if digest is None:
            digest = client.credential = hashlib.sha256(exchange.fields[b"authorization"]).digest()
        identity = self.verified.get(digest)
        if identity is None:
            identity = self.verified[digest] = Identity(
                "u1", "web-app", "web", digest, "a@b.c", ("customer",)
            )
        return identity

    def take_nowait(self, _exchange: EdgeExchange) -> Verdict:
        """Let everything through."""
        return self.verdict

    def match(self, _method: str, _host: str, path: str) -> Route | None:
        """Find the route."""
        return self.route if path.startswith("/api/web/") else None

    def record(self, _exchange: EdgeExchange) -> None:
        """Count."""
        self.count += 1


async def main(requests: int, profile_path: str | None) -> None:
    """Run the rounds and print the best."""
    steps = Steps()
    pool = PoolLimits(max_requests_per_connection=10**9)
    upstream = Upstream(
        UpstreamSpec("web", (NodeSpec("http://127.0.0.1:1"),), breaker=BreakerPolicy(), pool=pool)
    )
    steps.route = Route(upstream, (steps,), steps.authenticate)
    proxy = Proxy(
        steps, identity_headers=IdentityHeaders(EdgeIdentitySigner(development_private_key())), recorder=steps
    )
    behind = ClientConnection(upstream.nodes[0].pool, wheel_of(asyncio.get_running_loop()))
    behind.connection_made(Swallowing())
    upstream.nodes[0].pool._idle.append(behind)
    before = ServerConnection(proxy._server)
    before.connection_made(Swallowing())

    def run(count: int) -> float:
        started = time.process_time()
        for _ in range(count):
            before.data_received(REQUEST)
            behind.data_received(ANSWER)
        return (time.process_time() - started) / count * 1e6

    run(1000)
    if profile_path:
        import cProfile
        import pstats

        with cProfile.Profile() as profile:
            run(requests)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    figures = [run(requests) for _ in range(7)]
    print(f"{min(figures):.2f} us a request (rounds: {', '.join(f'{figure:.2f}' for figure in figures)})")
    assert steps.count >= requests * 7


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 10_000
    asyncio.run(main(count, "stdout" if "--profile" in sys.argv else None))
