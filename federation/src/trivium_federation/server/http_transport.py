"""Sends subgraph requests over the shared HTTP engine: one keep-alive pool per origin, no Task unless one must connect."""

from __future__ import annotations

import asyncio
from time import monotonic
from urllib.parse import urlsplit

from trivium_common.http import (
    BodyTooLarge,
    ConnectError,
    ConnectionReset,
    ConnectTimeout,
    DeadlineExceeded,
    HttpClient,
    HttpError,
    PoolTimeout,
    ReadTimeout,
    Timeouts,
    WriteTimeout,
)
from trivium_common.http.call import Call
from trivium_common.http.connection import ClientConnection
from trivium_common.http.headers import render_request_head
from trivium_common.http.limits import BODY_WINDOW_BYTES
from trivium_federation.transport import SubgraphRequest, SubgraphResponse, TransportError

_HEADERS = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/graphql-response+json, application/json"),
)
# First match wins. The words complete: the subgraph …
_REASONS: tuple[tuple[tuple[type[HttpError], ...], str], ...] = (
    ((ConnectTimeout, ReadTimeout, WriteTimeout, DeadlineExceeded), "did not answer in time"),
    ((PoolTimeout,), "has too many calls waiting"),
    ((ConnectError,), "cannot be reached"),
    ((BodyTooLarge,), "answered more than is allowed"),
)


class _WholeCall(Call):
    """A call whose owner waits for the whole answer."""

    __slots__ = ("_max_body_bytes", "_waiter")

    def __init__(self, timeouts: Timeouts, deadline: float, max_body_bytes: int) -> None:
        super().__init__(self._on_event, timeouts, deadline, window_bytes=max_body_bytes + BODY_WINDOW_BYTES)
        self._max_body_bytes = max_body_bytes
        self._waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait_answer(self) -> None:
        """Wait until the answer is complete or the call has failed."""
        if not self.complete and self.error is None:
            await self._waiter

    def _on_event(self) -> None:
        if not self.complete and self.error is None:
            if self.waiting_bytes <= self._max_body_bytes:
                return
            self.abort()
            self.error = BodyTooLarge("the answer is too long", bytes_sent=True)
        if not self._waiter.done():
            self._waiter.set_result(None)


class _Route:
    """Where the requests of one URL go, with the part of their heads that never changes."""

    __slots__ = ("client", "head")

    def __init__(self, client: HttpClient, target: str) -> None:
        self.client = client
        self.head = bytes(render_request_head("POST", target, client.origin.host_header, _HEADERS))


class HttpTransport:
    """The transport of the plain server. Belongs to one event loop; may be called from a Task or without one."""

    def __init__(self, *, timeout_s: float, max_answer_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        self._clients: dict[str, HttpClient] = {}
        self._routes: dict[str, _Route] = {}

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send one request, no longer than its deadline and the transport's own limit. Raises: TransportError."""
        route = self._routes.get(request.url) or self._find_route(request.url)
        deadline = monotonic() + self._timeout_s
        if request.deadline is not None and request.deadline < deadline:
            deadline = request.deadline
        extra = b"".join([b"%b: %b\r\n" % pair for pair in request.headers]) if request.headers else b""
        data = b"%b%bcontent-length: %d\r\n\r\n%b" % (route.head, extra, len(request.body), request.body)
        try:
            call = await self._call(route.client, data, deadline, may_repeat=request.is_query)
        except HttpError as error:
            raise TransportError(_reason(error)) from error
        chunks = call.chunks
        return SubgraphResponse(call.status, chunks[0] if len(chunks) == 1 else b"".join(chunks))

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def _call(
        self, client: HttpClient, data: bytes, deadline: float, *, may_repeat: bool
    ) -> _WholeCall:
        """One call; if a kept connection turns out to be dead before an answer begins, once more on another."""
        while True:
            connection = client.pool.checkout_nowait() or await self._connect(client, deadline)
            may_be_stale = connection.served > 0
            call = _WholeCall(client.timeouts, deadline, self._max_answer_bytes)
            try:
                connection.start(call, data, is_whole=True)
                await call.wait_answer()
            except BaseException:
                call.abort()
                raise
            if call.error is None:
                return call
            if not (may_repeat and may_be_stale and isinstance(call.error, ConnectionReset)):
                raise call.error
            may_repeat = False

    async def _connect(self, client: HttpClient, deadline: float) -> ClientConnection:
        connecting = client.pool.checkout(client.timeouts.connect_s, deadline)
        if asyncio.current_task() is not None:
            return await connecting
        task = asyncio.get_running_loop().create_task(connecting)  # connecting needs one, and is rare
        try:
            return await task
        except BaseException:
            task.cancel()
            raise

    def _find_route(self, url: str) -> _Route:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise TransportError("has no usable address")
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = HttpClient(origin)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        route = self._routes[url] = _Route(client, target)
        return route


def _reason(error: HttpError) -> str:
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return "broke the connection"
