"""For a BFF team's tests: serve an app on a real socket, fake upstreams that can misbehave, edge headers.

Nothing here runs in production; the fakes answer over real sockets so that the real client is tested.
"""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl

import orjson
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from trivium_common.app.protocol import BffProtocol
from trivium_common.auth.development import development_private_key
from trivium_common.auth.edge_identity import EdgeIdentitySigner

Fault = Literal["hang", "garbage", "truncate"] | int
Query = Mapping[str, str]
Answer = object | Callable[["Call"], object]


class _InProcessServer(uvicorn.Server):
    """uvicorn's server without its signal handlers and without the pauses of its orderly end."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the test runner

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for task in list(self.server_state.tasks):
            task.cancel()
        while self.server_state.tasks:  # noqa: ASYNC110 - they leave the set by themselves
            await asyncio.sleep(0)
        await self.lifespan.shutdown()


@asynccontextmanager
async def serve_app(app: ASGIApp) -> AsyncIterator[str]:
    """Serve `app` on a free port of the loopback within this event loop; yields its URL."""
    config = uvicorn.Config(
        app,
        port=0,
        http=BffProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = _InProcessServer(config)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event
            await asyncio.sleep(0.001)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.stop.set()


def edge_headers(audience: str, subject: str, *, lifetime_s: int = 60, **more: str) -> dict[str, str]:
    """The headers with which an edge would forward a request of `subject` to BFF `audience`."""
    signer = EdgeIdentitySigner(development_private_key())
    token = signer.sign(
        subject=subject, consumer="test", kind=audience, audience=audience, lifetime_s=lifetime_s
    )
    return {"x-edge-identity": token, **more}


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a fake upstream has seen."""

    service: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class FakeUpstreams:
    """Several upstreams behind one socket: `http://127.0.0.1:<port>/<service>` is the URL of each.

    `answers` maps "METHOD /service/path" (a regular expression) to a value, or to a function of the call
    that returns one; None means 404. `faults` maps a service to what it does instead: a status, "hang"
    (until the caller leaves), "garbage" (no JSON) or "truncate" (ends in the middle).
    """

    answers: dict[str, Answer]
    faults: dict[str, Fault] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)

    def calls_to(self, service: str) -> list[Call]:
        """What `service` has been asked, in order."""
        return [call for call in self.calls if call.service == service]

    async def wait_call(self, service: str, timeout_s: float = 10.0) -> None:
        """Wait until `service` has been asked. Raises: TimeoutError."""
        await _wait_until(lambda: bool(self.calls_to(service)), timeout_s)

    async def wait_abandoned(self, service: str, timeout_s: float = 10.0) -> None:
        """Wait until a caller has left while `service` was hanging. Raises: TimeoutError."""
        await _wait_until(lambda: service in self.abandoned, timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or misbehave as told."""
        if scope["type"] != "http":
            raise RuntimeError("fake upstreams speak HTTP only")
        call = await _read_call(scope, receive)
        self.calls.append(call)
        fault = self.faults.get(call.service)
        if fault == "hang":
            try:
                await asyncio.Event().wait()
            finally:
                self.abandoned.append(call.service)
        elif fault == "truncate":
            await _send(send, 200, b"{", length=100)
        elif fault == "garbage":
            await _send(send, 200, b"<html>")
        elif fault is not None:
            await _send(send, fault, b"{}")
        else:
            status, body = self._find_answer(call)
            await _send(send, status, body)

    def _find_answer(self, call: Call) -> tuple[int, bytes]:
        key = f"{call.method} /{call.service}{call.path}"
        for pattern, answer in self.answers.items():
            if re.fullmatch(pattern, key):
                value = answer(call) if callable(answer) else answer
                return (200, orjson.dumps(value)) if value is not None else (404, b"{}")
        return 404, b"{}"


async def _wait_until(is_so: Callable[[], bool], timeout_s: float) -> None:
    async with asyncio.timeout(timeout_s):
        while not is_so():  # noqa: ASYNC110 - one condition of many, looked at between two turns of the loop
            await asyncio.sleep(0.001)


async def _read_call(scope: Scope, receive: Receive) -> Call:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    _, service, *rest = scope["path"].split("/")
    return Call(
        service=service,
        method=scope["method"],
        path="/" + "/".join(rest),
        query=dict(parse_qsl(scope["query_string"].decode())),
        headers={name.decode(): value.decode() for name, value in scope["headers"]},
        body=body,
    )


async def _send(send: Send, status: int, body: bytes, *, length: int | None = None) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % (len(body) if length is None else length)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
