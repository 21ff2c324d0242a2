"""The HTTP/1.1 client of one origin: keep-alive, deadlines, streaming, truthful errors. No cookies, no redirects."""

import asyncio
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic

from .call import Call
from .connection import ClientConnection
from .errors import BodyTooLarge, ConnectionReset, DeadlineExceeded
from .headers import Headers, Pair, render_request_head
from .limits import BODY_WINDOW_BYTES, MIB, PoolLimits, Timeouts
from .origin import Origin
from .pool import ConnectionPool
from .wheel import NEVER

DEFAULT_LIMITS = PoolLimits()
DEFAULT_TIMEOUTS = Timeouts()
# RFC 9110 §9.2.2: doing them twice is the same as doing them once.
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
Body = bytes | AsyncIterable[bytes]
_CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
_BODY_EXPECTED = frozenset({"POST", "PUT", "PATCH"})


@dataclass(slots=True)
class HttpResponse:
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


class _WaitedCall(Call):
    """A call whose owner waits in a Task: for the whole answer when `is_buffered`, else for each part of it."""

    __slots__ = ("_is_buffered", "_loop", "_max_body_bytes", "_waiter")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        timeouts: Timeouts,
        deadline: float,
        method: str,
        max_body_bytes: int | None,
    ) -> None:
        is_buffered = max_body_bytes is not None
        window = BODY_WINDOW_BYTES if max_body_bytes is None else max_body_bytes + BODY_WINDOW_BYTES
        super().__init__(self._on_event, timeouts, deadline, is_head=method == "HEAD", window_bytes=window)
        self._is_buffered = is_buffered
        self._max_body_bytes = max_body_bytes or 0
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    def _on_event(self) -> None:
        if self._is_buffered and not self.complete and self.error is None:
            if self.waiting_bytes > self._max_body_bytes:
                self.abort()
                self.error = BodyTooLarge(
                    f"the answer is longer than {self._max_body_bytes} bytes", bytes_sent=True
                )
            elif self.is_sent:
                return  # a part of what is wanted whole
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for the next event."""
        self._waiter = self._loop.create_future()
        await self._waiter

    async def wait_answer(self) -> None:
        """Wait until the answer can be handed out, or the call has failed."""
        while not (self.complete or self.error is not None or (self.status and not self._is_buffered)):
            await self.wait()


class HttpClient:
    """One client per upstream origin, shared by all calls of a process; belongs to one event loop."""

    def __init__(
        self,
        origin: str,
        *,
        limits: PoolLimits = DEFAULT_LIMITS,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.origin = Origin.parse(origin)
        self.timeouts = timeouts
        self.pool = ConnectionPool(self.origin, limits, tls)

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Iterable[Pair] = (),
        body: Body | None = None,
        deadline: float | None = None,
        max_body_bytes: int = 16 * MIB,
        timeouts: Timeouts | None = None,
    ) -> HttpResponse:
        """Send one request and read the whole answer, whatever its status.

        `deadline` is in `time.monotonic()` seconds. A kept-alive connection that turns out to be dead before
        any byte of an answer is replaced once when the method is idempotent and the body can be sent again.
        Safe to cancel: the connection is closed and its slot freed.
        Raises: HttpError.
        """
        call = await self._call(method, target, headers, body, deadline, timeouts, max_body_bytes)
        chunks = call.chunks
        whole = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if len(whole) > max_body_bytes:
            raise BodyTooLarge(f"the answer is longer than {max_body_bytes} bytes", bytes_sent=True)
        return HttpResponse(call.status, Headers(call.headers), whole)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        target: str,
        *,
        headers: Iterable[Pair] = (),
        body: Body | None = None,
        deadline: float | None = None,
        timeouts: Timeouts | None = None,
    ) -> "AsyncIterator[StreamedResponse]":
        """Send one request and hand out the answer once its head is there; the body is read piece by piece.

        Leaving the block before the end of the body closes the connection.
        Raises: HttpError, also from `aiter_bytes`.
        """
        response = await self.open_stream(
            method, target, headers=headers, body=body, deadline=deadline, timeouts=timeouts
        )
        try:
            yield response
        finally:
            response.close()

    async def open_stream(
        self,
        method: str,
        target: str,
        *,
        headers: Iterable[Pair] = (),
        body: Body | None = None,
        deadline: float | None = None,
        timeouts: Timeouts | None = None,
        host: bytes | None = None,
    ) -> "StreamedResponse":
        """Like `stream`, for owners that cannot use a block: they must call `close`.

        `host` replaces the Host header that the origin would give.
        """
        return StreamedResponse(
            await self._call(method, target, headers, body, deadline, timeouts, None, host)
        )

    async def aclose(self) -> None:
        """Close every connection."""
        self.pool.close()

    # --- inside

    async def _call(
        self,
        method: str,
        target: str,
        headers: Iterable[Pair],
        body: Body | None,
        deadline: float | None,
        timeouts: Timeouts | None,
        max_body_bytes: int | None,
        host: bytes | None = None,
    ) -> _WaitedCall:
        """Send the request and wait for the whole answer, or for its head when `max_body_bytes` is None."""
        head = render_request_head(method, target, host or self.origin.host_header, headers)
        source = _frame(head, method, body)
        until = NEVER if deadline is None else deadline
        if monotonic() >= until:
            raise DeadlineExceeded("the deadline passed before the call began")
        phases = timeouts or self.timeouts
        loop = asyncio.get_running_loop()
        may_repeat = source is None and method in IDEMPOTENT_METHODS
        while True:
            connection = self.pool.checkout_nowait() or await self.pool.checkout(phases.connect_s, until)
            may_be_stale = may_repeat and connection.served > 0
            call = _WaitedCall(loop, phases, until, method, max_body_bytes)
            try:
                connection.start(call, head, is_whole=source is None)
                if source is not None:
                    await _send_body(connection, call, source, is_chunked=head.endswith(_CHUNKED))
                await call.wait_answer()
            except BaseException:
                call.abort()
                raise
            if call.error is None:
                return call
            if not (may_be_stale and isinstance(call.error, ConnectionReset)):
                raise call.error
            may_repeat = False


class StreamedResponse:
    """An answer whose body is still coming."""

    __slots__ = ("_call", "headers", "status")

    def __init__(self, call: _WaitedCall) -> None:
        self._call = call
        self.status = call.status
        self.headers = Headers(call.headers)

    def close(self) -> None:
        """Give up what was not read. Safe at any time."""
        self._call.abort()

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes; the peer is made to wait while nobody reads.

        Raises: HttpError when the body breaks off.
        """
        call = self._call
        while True:
            for chunk in call.take():
                yield chunk
            if call.chunks:
                continue
            if call.error is not None:
                raise call.error
            if call.complete:
                return
            await call.wait()


def _frame(head: bytearray, method: str, body: Body | None) -> AsyncIterable[bytes] | None:
    """End the head with the right framing; bytes are appended, a stream is returned to be sent after it."""
    if body is None:
        head += b"content-length: 0\r\n\r\n" if method in _BODY_EXPECTED else b"\r\n"
        return None
    if isinstance(body, bytes | bytearray | memoryview):
        head += b"content-length: %d\r\n\r\n" % len(body)
        head += body
        return None
    head += b"\r\n" if b"\r\ncontent-length: " in head.lower() else _CHUNKED
    return body


async def _send_body(
    connection: ClientConnection, call: _WaitedCall, source: AsyncIterable[bytes], *, is_chunked: bool
) -> None:
    """Send a streamed body; stops early when the answer is complete or the call has failed."""
    async for part in source:
        while call.write_paused and call.error is None and not call.complete:
            await call.wait()
        if call.error is not None or call.complete:
            return
        if part:
            connection.write(call, b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
    connection.finish(call, b"0\r\n\r\n" if is_chunked else b"")
