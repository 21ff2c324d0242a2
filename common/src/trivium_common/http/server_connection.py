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

from .exchange import BrokenBody, ClientLeft, ClientTooSlow, DeadlinePassed, Exchange, RequestFault
from .headers import Pair
from .limits import BODY_WINDOW_BYTES
from .proxy_protocol import InvalidPreamble, parse_preamble
from .request_rules import judge
from .wheel import NEVER

if TYPE_CHECKING:
    from .server import HttpServer

logger = logging.getLogger("trivium.http")

_METHODS = {
    name.encode(): name
    for name in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT")
}
# Framing (chunk sizes, extensions, trailers) that may come with a body, besides 16 bytes for each of its own.
_MAX_FRAMING_BYTES = 64 * 1024


class ServerConnection(asyncio.Protocol):
    """One client's connection."""

    __slots__ = (
        "_active",
        "_fields",
        "_framing_bytes",
        "_good_host",
        "_head_bytes",
        "_head_since",
        "_in_head",
        "_incoming",
        "_is_advancing",
        "_is_lingering",
        "_is_open",
        "_is_paused",
        "_is_refused",
        "_parser",
        "_preamble",
        "_queue",
        "_server",
        "_since",
        "_transport",
        "_unsent_bytes",
        "_url",
        "_wheel",
        "_write_since",
        "expires_at",
        "is_tls",
        "next_look_at",
        "peer",
        "write_paused",
    )

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._wheel = server.wheel
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._fields: list[Pair] = []
        self._in_head = False
        self._head_since = 0.0
        self._head_bytes = 0
        self._framing_bytes = 0
        self._good_host = b""
        self._incoming: Exchange | None = None
        self._active: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._is_advancing = False
        self._is_open = False
        self._is_refused = False
        self._is_paused = False
        self._is_lingering = False
        self._since = 0.0
        self._write_since = 0.0
        self._unsent_bytes = 0
        self._preamble: bytearray | None = None
        self.peer = ""
        self.is_tls = False
        self.write_paused = False
        self.expires_at = self.next_look_at = NEVER

    @property
    def is_draining(self) -> bool:
        """Whether connections are to end after the answer in hand."""
        return self._server.is_draining

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered or is on its way in."""
        return self._active is not None or self._in_head or self._incoming is not None

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._is_open = True
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        self.is_tls = transport.get_extra_info("sslcontext") is not None
        if not self._server.admit(self):
            self.abort()
            return
        if self._server.proxy_protocol is not None:
            if not self._server.proxy_protocol.trusts(self.peer):
                logger.warning("a PROXY header is required and %s is not a trusted proxy", self.peer)
                self.abort()
                return
            self._preamble = bytearray()
        self._since = monotonic()
        limits = self._server.limits
        self.set_expiry(
            self._since + (limits.idle_timeout_s if self._preamble is None else limits.header_timeout_s)
        )

    def data_received(self, data: bytes) -> None:
        if self._preamble is not None:
            rest = self._read_preamble(data)
            if not rest:
                return
            data = rest
        if self._is_refused and self._incoming is None:
            return  # nothing after the last request of a connection is read
        incoming = self._incoming
        body_before = incoming.body_bytes if incoming is not None else 0
        self._head_bytes += len(data)
        self._feed(data)
        if incoming is not None:
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
        self._parser = self._fields = None  # type: ignore[assignment]
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
        self._fields.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        headers = self._fields
        self._fields = []
        self._in_head = False
        if self._is_refused:
            return
        name = self._parser.get_method()
        exchange = self._server.make_exchange(self, _METHODS.get(name) or name.decode(), self._url, headers)
        fault = exchange.fault = judge(
            exchange, self._parser, self._server.limits, self._head_bytes, self._good_host
        )
        if fault is None:
            self._good_host = exchange.fields.get(b"host", b"")
            self._incoming = exchange
            self._framing_bytes = 0
        else:
            exchange.keep_alive = False
        self._is_refused = not exchange.keep_alive
        self._head_bytes = 0
        self._head_since = 0.0
        self._queue.append(exchange)

    def on_body(self, body: bytes) -> None:
        if self._incoming is not None:
            self._incoming.receive(body)

    def on_message_complete(self) -> None:
        self._fields = []  # trailers are dropped
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

    def await_body(self) -> None:
        """Start the time that the client has for the next part of the body."""
        self._since = monotonic()
        self.set_expiry(self._since + self._server.limits.body_timeout_s)

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

    def set_expiry(self, at: float) -> None:
        """Have `expire` called at `at`, or earlier."""
        self.expires_at = at
        if at < self.next_look_at:
            self._wheel.watch(self, at)

    def expire(self, now: float) -> None:
        """Called by the timer wheel: end what has run out of time, or find when the next thing will."""
        if not self._is_open:
            self._transport.abort()  # closing, and the client does not take the rest
            return
        next_at = self._expire_write(now) if self.write_paused else NEVER
        if self._is_lingering or self._preamble is not None:
            self.abort()
        elif self._active is not None:
            next_at = min(next_at, self._expire_active(self._active, now))
        else:
            next_at = min(next_at, self._expire_quiet(now))
        if self._is_open and next_at < NEVER:
            self.set_expiry(next_at)

    def _expire_write(self, now: float) -> float:
        if now < self._write_since + self._server.limits.write_timeout_s:
            return self._write_since + self._server.limits.write_timeout_s
        if self._transport.get_write_buffer_size() >= self._unsent_bytes:
            self.abort()
            return NEVER
        return self._await_drain()  # slow, yet it moves

    def _expire_active(self, active: Exchange, now: float) -> float:
        if now >= active.deadline:
            active.deadline = NEVER
            active.interrupt(DeadlinePassed())
            return NEVER
        if active.wants_body and not active.body_complete and not self._is_paused:
            end = self._since + self._server.limits.body_timeout_s
            if now >= end:
                active.interrupt(ClientTooSlow())
                return NEVER
            return min(end, active.deadline)
        return active.deadline

    def _expire_quiet(self, now: float) -> float:
        """No handler runs: the client is idle, or sends a head or the rest of a refused body too slowly."""
        limits = self._server.limits
        if self._in_head:
            end = self._head_since + limits.header_timeout_s
        elif self._incoming is not None:
            end = self._since + limits.body_timeout_s
        else:
            end = self._since + limits.idle_timeout_s
        if now < end:
            return end
        if self._in_head or self._incoming is not None:
            self.abort()
        else:
            self._close()
        return NEVER

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
            exchange = self._server.make_exchange(self, "", self._url, [])
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

    def _await_drain(self) -> float:
        self._write_since = monotonic()
        self._unsent_bytes = self._transport.get_write_buffer_size()
        return self._write_since + self._server.limits.write_timeout_s

    def _pause(self) -> None:
        if not self._is_paused and self._is_open:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._is_paused and self._is_open:
            self._is_paused = False
            self._transport.resume_reading()

    def _read_preamble(self, data: bytes) -> bytes:
        """Read the PROXY header that must come first; returns what follows it."""
        preamble = self._preamble = (self._preamble or bytearray()) + data
        try:
            parsed = parse_preamble(preamble)
        except InvalidPreamble as error:
            logger.warning("no valid PROXY header from %s: %s", self.peer, error)
            self.abort()
            return b""
        if parsed is None:
            return b""
        if parsed.source:
            self.peer = parsed.source
        self._preamble = None
        return bytes(preamble[parsed.length :])
