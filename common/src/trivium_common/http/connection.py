"""The client's end of one HTTP/1.1 connection: writes one call at a time, parses its answer, keeps its time.

It knows no pool policy: `owner` is told when it is free again or lost.
"""

import asyncio
from time import monotonic
from typing import Protocol, cast

import httptools

from .call import Call
from .errors import ConnectionReset, DeadlineExceeded, HttpError, ProtocolError, ReadTimeout, WriteTimeout
from .headers import Pair
from .wheel import NEVER, TimerWheel


class ConnectionOwner(Protocol):
    """Who keeps the connection between calls."""

    max_header_bytes: int
    idle_s: float

    def take_back(self, connection: "ClientConnection") -> None:
        """The connection is healthy and free."""

    def forget(self, connection: "ClientConnection") -> None:
        """The connection can serve no further call; told exactly once."""


class ClientConnection(asyncio.Protocol):
    """One connection to an origin. Used by one call at a time."""

    __slots__ = (
        "_fields",
        "_head_bytes",
        "_is_paused",
        "_is_tainted",
        "_owner",
        "_parser",
        "_transport",
        "_unsent_bytes",
        "_wheel",
        "call",
        "expires_at",
        "is_open",
        "next_look_at",
        "served",
    )

    def __init__(self, owner: ConnectionOwner, wheel: TimerWheel) -> None:
        self._owner = owner
        self._wheel = wheel
        self._parser = httptools.HttpResponseParser(self)
        self._fields: list[Pair] = []
        self._head_bytes = 0
        self._is_paused = False
        self._is_tainted = False
        self._unsent_bytes = 0
        self.call: Call | None = None
        self.served = 0
        self.is_open = False
        self.expires_at = self.next_look_at = NEVER

    # --- used by callers

    def start(self, call: Call, data: bytes | bytearray, *, is_whole: bool) -> None:
        """Send the head of a request (and its body when `is_whole`); the answer fills `call`."""
        if not self.is_open:  # lost since it was handed out
            call.error = ConnectionReset("the connection was lost before the call began")
            return
        self.call = call
        call.connection = self
        call.is_sent = is_whole
        self._transport.write(data)
        if call.write_paused:
            return
        at = min(monotonic() + call.timeouts.read_s, call.deadline) if is_whole else call.deadline
        self.expires_at = at
        if at < self.next_look_at:
            self._wheel.watch(self, at)

    def write(self, call: Call, data: bytes) -> None:
        """Send a part of the body, already framed."""
        if call is self.call:
            self._transport.write(data)

    def finish(self, call: Call, data: bytes = b"") -> None:
        """Send the last part of the body; from now on the answer is waited for."""
        if call is not self.call:
            return
        if data:
            self._transport.write(data)
        call.is_sent = True
        if not call.write_paused:
            self._await_answer(call)

    def abandon(self, call: Call) -> None:
        """Close the connection because its call was given up."""
        if self.call is call:
            self.call = None
            self.close()

    def resume_body(self) -> None:
        """Let more of the answer's body come."""
        if self._is_paused:
            self._is_paused = False
            if self.is_open:
                self._transport.resume_reading()
                if self.call is not None:
                    self._await_answer(self.call)

    def close(self) -> None:
        """Close at once; a call in flight fails."""
        if self.call is not None:
            self._fail(ConnectionReset("the connection was closed on our side", bytes_sent=True))
        elif self.is_open:
            self.is_open = False
            self._owner.forget(self)
            self._transport.abort()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        call = self.call
        if call is None:
            self.close()  # an answer that nobody asked for: what follows could not be told apart
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(ProtocolError("the peer switched protocols unasked", bytes_sent=True))
            return
        except httptools.HttpParserError as error:
            if not call.complete:
                self._fail(ProtocolError(f"the answer is not valid HTTP: {error}", bytes_sent=True))
                return
            self._is_tainted = True  # bytes after an answer that announced the end of the connection
        if call.complete:
            self._end_call(call)
        elif not call.status:
            self._head_bytes += len(data)
            if self._head_bytes > self._owner.max_header_bytes:
                self._fail(ProtocolError("the head of the answer is too long", bytes_sent=True))
                return
        else:
            self._keep_reading(call)
        call.wake()

    def eof_received(self) -> bool:
        self._lose(None)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(error)
        self._parser = self._fields = None  # type: ignore[assignment]  # the timer wheel may hold us a while

    def pause_writing(self) -> None:
        if self.call is not None:
            self.call.write_paused = True
            self._await_drain(self.call)

    def resume_writing(self) -> None:
        call = self.call
        if call is not None:
            call.write_paused = False
            if call.is_sent:
                self._await_answer(call)
            else:
                self._set_expiry(call.deadline)
            call.wake()

    # --- httptools callbacks

    def on_message_begin(self) -> None:
        if self.call is None or self.call.complete:
            self._is_tainted = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        call = self.call
        fields = self._fields
        self._fields = []
        if call is None or call.complete:
            self._is_tainted = True
            return
        status = self._parser.get_status_code()
        if status < 200:
            return  # 1xx: the real answer follows
        call.headers = fields
        call.fields = by_name = dict(fields)
        if by_name.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            raise ValueError("unknown transfer coding")
        call.status = status
        if call.is_head:
            # The parser cannot be told that no body follows, so it has to be replaced.
            call.complete = True
            if not self._parser.should_keep_alive():
                self._is_tainted = True
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, body: bytes) -> None:
        call = self.call
        if call is None or call.complete:
            self._is_tainted = True
            return
        call.chunks.append(body)
        call.waiting_bytes += len(body)

    def on_message_complete(self) -> None:
        call = self.call
        self._fields = []  # trailers are dropped
        if call is not None and call.status and not call.complete:
            call.complete = True
            if not self._parser.should_keep_alive():
                self._is_tainted = True

    # --- inside

    def _await_answer(self, call: Call) -> None:
        at = monotonic() + call.timeouts.read_s
        self._set_expiry(min(call.deadline, at))

    def _await_drain(self, call: Call) -> None:
        self._unsent_bytes = self._transport.get_write_buffer_size()
        self._set_expiry(min(monotonic() + call.timeouts.send_s, call.deadline))

    def _set_expiry(self, at: float) -> None:
        self.expires_at = at
        if at < self.next_look_at:
            self._wheel.watch(self, at)

    def _keep_reading(self, call: Call) -> None:
        if call.waiting_bytes >= call.window_bytes:
            if not self._is_paused:
                self._is_paused = True
                self._transport.pause_reading()
            self._set_expiry(call.deadline)  # while paused it is the reader who takes the time
        elif call.is_sent:
            self._await_answer(call)

    def _end_call(self, call: Call) -> None:
        if not call.is_sent:
            # Answered before the whole request was sent: the rest would be taken for a new request.
            self.call = call.connection = None
            self.close()
            return
        self.call = call.connection = None
        self.served += 1
        self._head_bytes = 0
        if self._is_tainted or not self.is_open:
            self.close()
            return
        if self._is_paused:
            self.resume_body()
        self._set_expiry(monotonic() + self._owner.idle_s)
        self._owner.take_back(self)

    def _fail(self, error: HttpError) -> None:
        call = self.call
        self.call = None
        self.close()
        if call is not None:
            call.connection = None
            call.error = error
            call.wake()

    def _lose(self, error: Exception | None) -> None:
        call = self.call
        if call is None:
            self.close()
            return
        if call.status and not call.complete and error is None and self._ends_with_connection(call):
            call.complete = True
            self._is_tainted = True
            self._end_call(call)
            call.wake()
            return
        reason = f": {error}" if error else ""
        if call.status or self._head_bytes:
            self._fail(
                ProtocolError(f"the connection broke in the middle of the answer{reason}", bytes_sent=True)
            )
        else:
            self._fail(
                ConnectionReset(f"the connection was closed before an answer{reason}", bytes_sent=True)
            )

    def _ends_with_connection(self, call: Call) -> bool:
        return b"content-length" not in call.fields and b"transfer-encoding" not in call.fields

    def expire(self, now: float) -> None:
        """Called by the timer wheel."""
        call = self.call
        if not self.is_open:
            return
        if call is None:
            self.close()
        elif now >= call.deadline:
            self._fail(DeadlineExceeded("the deadline of the call passed", bytes_sent=True))
        elif call.write_paused and self._transport.get_write_buffer_size() < self._unsent_bytes:
            self._await_drain(call)  # slow, yet it moves
        elif call.write_paused:
            self._fail(WriteTimeout(f"the peer took no data for {call.timeouts.send_s:g} s", bytes_sent=True))
        elif call.is_sent:
            self._fail(ReadTimeout(f"the peer sent nothing for {call.timeouts.read_s:g} s", bytes_sent=True))
