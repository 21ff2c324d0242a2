"""One request and its answer on the server's side: what a handler sees and what it can do."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from .headers import Pair
from .limits import BODY_WINDOW_BYTES
from .stepper import PARK, Stepper
from .wheel import NEVER

if TYPE_CHECKING:
    from .server_connection import ServerConnection

_BODYLESS = frozenset({204, 304})
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class ClientLeft(Exception):
    """Raised inside a handler when the client is gone: nobody will read an answer."""


class ClientTooSlow(Exception):
    """Raised inside a handler when the rest of the request's body does not come."""


class DeadlinePassed(Exception):
    """Raised inside a handler when the time that it set with `set_deadline` is over."""


class BrokenBody(Exception):
    """Raised inside a handler when the rest of the request's body is malformed; `fault` says how."""

    def __init__(self, fault: "RequestFault") -> None:
        super().__init__(fault.detail)
        self.fault = fault


class RequestFault:
    """Why a request is refused before any handler logic: a status and what is wrong, safe to show."""

    __slots__ = ("detail", "status")

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail


class Exchange(Stepper):
    """One request and its answer.

    `headers` are all pairs in order, names in lower case; `fields` maps each name to its last value: both are to
    be read only, later requests may share them. A request that broke the rules comes with `fault` set: the handler answers it in its own words, then the connection
    closes.
    """

    __slots__ = (
        "_bytes_left",
        "_chunks",
        "_head",
        "_is_chunked",
        "_is_continued",
        "answer_is_begun",
        "answer_is_over",
        "body_bytes",
        "body_complete",
        "bytes_out",
        "connection",
        "content_length",
        "deadline",
        "expects_continue",
        "fault",
        "fields",
        "headers",
        "is_http_11",
        "keep_alive",
        "method",
        "target",
        "waiting_bytes",
        "wants_body",
        "wants_upgrade",
    )

    def __init__(
        self,
        connection: "ServerConnection",
        method: str,
        target: bytes,
        headers: list[Pair],
        fields: dict[bytes, bytes],
    ) -> None:
        super().__init__()
        self.connection = connection
        self.method = method
        self.target = target
        self.headers = headers
        self.fields = fields
        self.is_http_11 = True
        self.keep_alive = True
        self.wants_upgrade = False
        self.fault: RequestFault | None = None
        self.deadline = NEVER

        self._chunks: list[bytes] = []
        self.content_length: int | None = None
        self.body_bytes = 0
        self.waiting_bytes = 0
        self.body_complete = False
        self.wants_body = False
        self.expects_continue = False
        self._is_continued = False

        self._head = b""
        self._is_chunked = False
        self._bytes_left: int | None = None
        self.answer_is_begun = False
        self.answer_is_over = False
        self.bytes_out = 0

    # --- the request

    @property
    def peer(self) -> str:
        """The address at the other end of the connection (behind PROXY protocol: the one it names)."""
        return self.connection.peer

    @property
    def is_tls(self) -> bool:
        """Whether the request came over TLS."""
        return self.connection.is_tls

    def set_deadline(self, at: float) -> None:
        """Raise DeadlinePassed inside the handler at `at` (monotonic seconds)."""
        self.deadline = at
        self.connection.set_expiry(at)

    def has_body(self) -> bool:
        """Say whether the request has a body, complete or still coming."""
        return not self.body_complete or self.body_bytes > 0

    def take_body(self) -> list[bytes]:
        """Take what has come of the body; when that is nothing and more is due, the client is asked for it."""
        chunks = self._chunks
        if chunks:
            self._chunks = []
            if self.waiting_bytes >= BODY_WINDOW_BYTES:
                self.waiting_bytes = 0
                self.connection.resume_body()
            self.waiting_bytes = 0
        if not self.body_complete:
            self._ask_for_body()
        return chunks

    async def read_body(self, max_bytes: int) -> bytes | None:
        """Read the whole body, or return None when it is longer than `max_bytes`."""
        chunks = list(self.take_body())  # a copy: the empty list is the one that what comes next is put in
        while not self.body_complete:
            if self.body_bytes > max_bytes:
                return None
            await PARK
            chunks += self.take_body()
        return b"".join(chunks) if self.body_bytes <= max_bytes else None

    def _ask_for_body(self) -> None:
        if not self.wants_body:
            self.wants_body = True
            if self.expects_continue and not self.body_bytes and not self._is_continued and self.is_http_11:
                self.connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._is_continued = True
            self.connection.await_body()

    def can_drain(self) -> bool:
        """Say whether what is missing of the body is so little that reading it beats a new connection."""
        if self.body_complete:
            return True
        if self.content_length is None or (self.expects_continue and not self._is_continued):
            return False
        return self.content_length - self.body_bytes <= BODY_WINDOW_BYTES

    # --- the answer

    @property
    def write_paused(self) -> bool:
        """Whether the client is behind in reading; park until it is not."""
        return self.connection.write_paused

    def respond(self, status: int, headers: Iterable[Pair], body: bytes = b"") -> None:
        """Send a whole answer."""
        lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
        self.respond_raw(status, lines, body)

    def respond_raw(self, status: int, lines: bytes, body: bytes = b"") -> None:
        """Send a whole answer whose header lines are ready (each ends in CRLF; no framing headers)."""
        connection = self.connection
        is_bodyless = self.method == "HEAD" or status in _BODYLESS
        if is_bodyless or not (
            self.keep_alive and self.is_http_11 and self.body_complete and not connection.is_draining
        ):
            self.begin(status, lines, len(body))
            self.end(b"" if is_bodyless else body)
            return
        # What nearly every answer is, without asking twice.
        self.answer_is_begun = self.answer_is_over = True
        self.bytes_out = len(body)
        status_line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        connection.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (status_line, lines, len(body), body))

    def begin(self, status: int, lines: bytes, length: int | None) -> None:
        """Start an answer; the head leaves with the first part of the body.

        `length` of the body when it is known; else it is chunked, or ends with the connection for HTTP/1.0.
        """
        self.answer_is_begun = True
        status_line = _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status
        if self.keep_alive and not self.can_drain():
            self.keep_alive = False
        if status in _BODYLESS or status < 200:
            framing = b""
            self._bytes_left = 0
        elif length is not None:
            framing = b"content-length: %d\r\n" % length
            self._bytes_left = 0 if self.method == "HEAD" else length
        elif self.method == "HEAD":
            framing = b""
            self._bytes_left = 0
        elif self.is_http_11:
            framing = b"transfer-encoding: chunked\r\n"
            self._is_chunked = True
        else:
            framing = b""
            self.keep_alive = False
        if not self.keep_alive or self.connection.is_draining:
            self.keep_alive = False
            framing += b"connection: close\r\n"
        elif not self.is_http_11:
            framing += b"connection: keep-alive\r\n"
        self._head = b"%b%b%b\r\n" % (status_line, lines, framing)

    def write(self, data: bytes) -> None:
        """Send a part of the body."""
        if not data:
            return
        self.bytes_out += len(data)
        if self._bytes_left is not None:
            self._bytes_left -= len(data)
        if self._is_chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._head:
            data = self._head + data
            self._head = b""
        self.connection.write(data)

    def end(self, data: bytes = b"") -> None:
        """Send the last part of the body; a body shorter than announced breaks the connection instead."""
        size = len(data)
        self.bytes_out += size
        self.answer_is_over = True
        if self._is_chunked:
            data = b"%x\r\n%b\r\n0\r\n\r\n" % (size, data) if size else b"0\r\n\r\n"
        elif self._bytes_left is not None and self._bytes_left != size:
            self.break_off()
            return
        if self._head:
            data = self._head + data
            self._head = b""
        if data:
            self.connection.write(data)

    def flush_head(self) -> None:
        """Send the head now, before any part of the body is there."""
        if self._head:
            self.connection.write(self._head)
            self._head = b""

    def break_off(self) -> None:
        """Break the connection, so that the client cannot take the answer for a whole one."""
        self.answer_is_begun = self.answer_is_over = True
        self.keep_alive = False
        self.connection.abort()

    # --- told by the connection

    def receive(self, data: bytes) -> None:
        """A part of the body came."""
        self.body_bytes += len(data)
        if not self.answer_is_over:
            self._chunks.append(data)
            self.waiting_bytes += len(data)

    def on_return(self) -> None:
        self.connection.finish(self, None)

    def on_raise(self, error: BaseException) -> None:
        self.connection.finish(self, error)
