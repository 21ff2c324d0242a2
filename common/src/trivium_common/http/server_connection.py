"""The server's end of one HTTP/1.1 connection: parse strictly, keep bounds and time, answer in order.

Requests are handed to the handler one at a time; pipelined ones wait, and reading stops while they do.
"""

import asyncio
import logging
import socket
import struct
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, cast

import httptools

from .exchange import BrokenBody, ClientLeft, Exchange, RequestFault
from .headers import Pair
from .limits import BODY_WINDOW_BYTES
from .request_rules import is_plain, judge, judge_target
from .server_clock import ServerClock
from .wheel import NEVER

if TYPE_CHECKING:
    from .server import HttpServer

logger = logging.getLogger("trivium.http")

_METHODS = {
    name.encode(): name
    for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")
}
_TARGET_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%"
_VERSION = b" HTTP/1.1\r\n"
_HEAD_END = b"\r\n\r\n"
_MAX_REPEATED_BYTES = 8 * 1024
# Framing (chunk sizes, extensions, trailers) that may come with a body, besides 16 bytes for each of its own.
_MAX_FRAMING_BYTES = 64 * 1024


class ServerConnection(ServerClock):
    """One client's connection. `peer` is the client's address; a PROXY header may have named another one.

    `memo` is for the handler, to keep what it knows about the connection. Requests whose headers repeat those
    of the one before share the very same `headers` and `fields` objects.
    """

    __slots__ = (
        "_framing_bytes",
        "_head_bytes",
        "_is_advancing",
        "_is_refused",
        "_parser",
        "_plain_fields",
        "_plain_headers",
        "_plain_raw",
        "_queue",
        "_raw_headers",
        "_repeated_tail",
        "_url",
        "is_draining",
        "is_tls",
        "memo",
        "peer",
    )

    def __init__(self, server: "HttpServer", peer: str = "") -> None:
        super().__init__(server)
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._raw_headers: list[Pair] = []
        self._head_bytes = 0
        self._framing_bytes = 0
        self._queue: deque[Exchange] = deque()
        self._is_advancing = False
        self._is_refused = False
        # The head of the last request that had no body and no peculiarity, as it came and as it is used.
        self._plain_raw: list[Pair] | None = None
        self._plain_headers: list[Pair] = []
        self._plain_fields: dict[bytes, bytes] = {}
        self._repeated_tail: bytes | None = None
        self.is_draining = server.is_draining
        self.is_tls = False
        self.memo: object = None
        self.peer = peer

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered or is on its way in."""
        return self._active is not None or self._in_head or self._incoming is not None

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._is_open = True
        if not self.peer:
            peer = transport.get_extra_info("peername")
            self.peer = peer[0] if isinstance(peer, tuple) else ""
        self.is_tls = transport.get_extra_info("sslcontext") is not None
        if not self._server.admit(self):
            self.abort()
            return
        self._since = monotonic()
        self.set_expiry(self._since + self._server.limits.idle_timeout_s)

    def data_received(self, data: bytes) -> None:
        if self._is_refused and self._incoming is None:
            return  # nothing after the last request of a connection is read
        tail = self._repeated_tail
        if (
            tail is not None
            and self._active is None
            and data.endswith(tail)
            and self._repeat(data, len(tail))
        ):
            return
        incoming = self._incoming
        self._head_bytes += len(data)
        if incoming is None:
            is_start = not self._in_head
            self._feed(data)
            if is_start and self._plain_raw is not None and self._incoming is None:
                self._remember_tail(data)
        else:
            body_before = incoming.body_bytes
            self._feed(data)
            self._count_framing(incoming, len(data) - (incoming.body_bytes - body_before))
        if self._in_head:
            self._watch_head()
        active = self._active
        if active is None:
            self._advance()
        elif active is incoming:
            active.wake()
        if self._queue or ((incoming := self._incoming) and incoming.waiting_bytes >= BODY_WINDOW_BYTES):
            self._pause()

    def eof_received(self) -> bool:
        # A client that closes its half cannot be told from one that left.
        if self.is_busy or self._queue:
            self.abort()
        return False

    def connection_lost(self, _: Exception | None) -> None:
        self._is_open = False
        self._queue.clear()
        active = self._active
        if active is not None:
            active.interrupt(ClientLeft())
        self._server.forget(self)
        # The timer wheel may hold us for a while; what we hold should go now.
        self._incoming = self._active = None
        self._parser = self._plain_raw = self._plain_headers = None  # type: ignore[assignment]
        self.expires_at = NEVER

    def pause_writing(self) -> None:
        self.write_paused = True
        self.set_expiry(self._await_drain())

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._active is not None:
            self.set_expiry(self._active.deadline)
            self._active.wake()

    # --- httptools callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        self._url = self._url + url if self._url else url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._raw_headers.append((name, value))

    def on_headers_complete(self) -> None:
        raw = self._raw_headers
        self._raw_headers = []
        self._in_head = False
        if self._is_refused:
            return
        parser = self._parser
        server = self._server
        name = parser.get_method()
        method = _METHODS.get(name) or name.decode()
        if raw == self._plain_raw and parser.should_keep_alive() and parser.get_http_version() == "1.1":
            exchange = server.make_exchange(self, method, self._url, self._plain_headers, self._plain_fields)
            fault = judge_target(exchange, server.limits)
        else:
            headers = [(name.lower(), value.strip()) for name, value in raw]
            exchange = server.make_exchange(self, method, self._url, headers, dict(headers))
            fault = judge(exchange, parser, server.limits, self._head_bytes)
            if fault is None and is_plain(exchange):
                self._plain_raw, self._plain_headers, self._plain_fields = raw, headers, exchange.fields
        if fault is None:
            self._incoming = exchange
            self._is_refused = not exchange.keep_alive
            self._framing_bytes = 0
        else:
            exchange.fault = fault
            exchange.keep_alive = False
            self._is_refused = True
        self._head_bytes = 0
        self._head_since = 0.0
        self._queue.append(exchange)

    def on_body(self, body: bytes) -> None:
        if self._incoming is not None:
            self._incoming.receive(body)

    def on_message_complete(self) -> None:
        if self._raw_headers:
            self._raw_headers = []  # trailers are dropped
        self._head_bytes = 0
        incoming = self._incoming
        if incoming is not None:
            incoming.body_complete = True
            self._incoming = None
            if self._active is None and incoming.answer_is_over:
                self._settle(incoming)

    # --- used by exchanges

    def write(self, data: bytes) -> None:
        """Send bytes of an answer."""
        if self._is_open:
            self._transport.write(data)

    def abort(self) -> None:
        """Break the connection with a reset, so that the end cannot be taken for a proper one."""
        if not self._is_open:
            return
        self._is_open = False
        raw = self._transport.get_extra_info("socket")
        if raw is not None and raw.family != getattr(socket, "AF_UNIX", None):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def resume_body(self) -> None:
        """Let more of the request's body come."""
        if self._is_paused and not self._queue:
            self._resume()
            self.await_body()

    def finish(self, exchange: Exchange, error: BaseException | None) -> None:
        """The handler of `exchange` ended."""
        self._server.in_flight -= 1
        if error is not None and not isinstance(error, ClientLeft):
            logger.error("a request handler failed", exc_info=error)
        if not self._is_open:
            return
        if not exchange.answer_is_begun:
            exchange.keep_alive = False
            exchange.respond(500, (), b"")
        elif not exchange.answer_is_over:
            exchange.break_off()
            return
        self._active = None
        if exchange.body_complete:
            self._settle(exchange)
        elif exchange.keep_alive:
            self.await_body()  # little is missing: read it and go on
            self._resume()
        else:
            self._linger()

    # --- inside

    def _feed(self, data: bytes) -> None:
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # The parser stops at the end of a request that asks for another protocol; we go on with this one.
                data = data[upgrade.args[0] :]
                continue
            except httptools.HttpParserCallbackError as error:
                raise (error.__context__ or error) from None  # a fault of ours
            except httptools.HttpParserError as error:
                self._refuse_rest(400, f"the request is not valid HTTP/1.1: {error}")
            return

    def _refuse_rest(self, status: int, reason: str) -> None:
        """What comes makes no sense or is too much: refuse it after the requests before it, and close."""
        fault = RequestFault(status, reason)
        incoming = self._incoming
        if incoming is not None:
            # In the middle of a body, maybe one that is on its way to an upstream: that one must not end well.
            self._incoming = None
            self._is_refused = True
            incoming.keep_alive = False
            if incoming is self._active:
                incoming.interrupt(BrokenBody(fault))
            elif incoming.answer_is_over:
                self._linger()
            else:
                incoming.fault = fault
        elif not self._is_refused:
            self._is_refused = True
            self._in_head = False
            exchange = self._server.make_exchange(self, "", self._url, [], {})
            exchange.fault = fault
            exchange.keep_alive = False
            self._queue.append(exchange)

    def _watch_head(self) -> None:
        """The head is not complete: bound its size and its time."""
        limits = self._server.limits
        if len(self._url) > limits.max_url_bytes:
            self._refuse_rest(414, "")
        elif self._head_bytes > limits.max_header_bytes:
            self._refuse_rest(431, "")
        elif not self._head_since:
            self._head_since = monotonic()
            if self._active is None:
                self.set_expiry(self._head_since + limits.header_timeout_s)

    def _remember_tail(self, data: bytes) -> None:
        """When `data` was one plain request, keep what may repeat: all from the version on."""
        start = data.find(_VERSION)
        if (
            start > 0
            and len(data) - start <= _MAX_REPEATED_BYTES
            and data.find(_HEAD_END) == len(data) - len(_HEAD_END)
            and len(self._queue) == 1
            and self._queue[0].headers is self._plain_headers
        ):
            self._repeated_tail = data[start:]

    def _repeat(self, data: bytes, tail_length: int) -> bool:
        """Take a request that repeats the one before it from the version on, byte for byte: only its line is new.

        Says False when there is anything to it that the parser should look at.
        """
        method, _, target = data[:-tail_length].partition(b" ")
        name = _METHODS.get(method)
        if (
            name is None
            or not target.startswith(b"/")
            or target.translate(None, _TARGET_CHARACTERS)
            or len(target) > self._server.limits.max_url_bytes
            or self._in_head
            or self._incoming is not None
        ):
            return False
        server = self._server
        exchange = server.make_exchange(self, name, target, self._plain_headers, self._plain_fields)
        exchange.body_complete = True
        self._active = exchange
        server.in_flight += 1
        exchange.run(server.handler(exchange))
        return True

    def _count_framing(self, exchange: Exchange, framing_bytes: int) -> None:
        """Bound what comes with a body and is none: chunk extensions and trailers."""
        self._framing_bytes += framing_bytes
        if self._framing_bytes > _MAX_FRAMING_BYTES + 16 * exchange.body_bytes and not exchange.body_complete:
            self._refuse_rest(400, "the request body has more framing than content")
        elif exchange.wants_body:
            self._since = monotonic()

    def _advance(self) -> None:
        """Hand out the next request; answers that come at once are taken in a loop, not in a recursion."""
        if self._is_advancing:
            return
        self._is_advancing = True
        try:
            while self._active is None and self._queue and self._is_open:
                incoming = self._incoming
                if incoming is not None and incoming.answer_is_over:
                    return  # the rest of a refused body comes first
                exchange = self._queue.popleft()
                self._active = exchange
                self._server.in_flight += 1
                exchange.run(self._server.handler(exchange))
        finally:
            self._is_advancing = False
        if not self._queue:
            self._resume()

    def _settle(self, exchange: Exchange) -> None:
        """The request is read and answered: go on with the next, or end."""
        if not exchange.keep_alive:
            if exchange.fault is not None:
                self._linger()
            else:
                self._close()
            return
        now = self._since = monotonic()
        limits = self._server.limits
        if self._in_head:
            self._head_since = now
            self.set_expiry(now + limits.header_timeout_s)
        else:
            self.set_expiry(now + limits.idle_timeout_s)
        if self._queue:
            self._advance()
        elif self._is_paused:
            self._resume()

    def _linger(self) -> None:
        """Close, but let the client read the answer: data that we left unread would turn the close into a reset."""
        if not self._is_open:
            return
        self._is_lingering = self._is_refused = True
        self._incoming = None
        self._resume()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.set_expiry(monotonic() + self._server.limits.linger_s)

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._transport.close()
            if self.write_paused or self._transport.get_write_buffer_size():
                self.set_expiry(monotonic() + self._server.limits.write_timeout_s)

    def close_if_idle(self) -> None:
        """Close when no request is in work; otherwise the answer in hand is the last one."""
        if not self.is_busy and not self._queue:
            self._close()

    def _pause(self) -> None:
        if not self._is_paused and self._is_open:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._is_paused and self._is_open:
            self._is_paused = False
            self._transport.resume_reading()
