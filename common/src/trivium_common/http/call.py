"""One request and its answer on one connection, as plain state that the connection fills and its owner reads.

The connection calls `wake` after each event; what happened is read from the attributes. Nothing here waits.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import HttpError
from .headers import Pair
from .limits import BODY_WINDOW_BYTES, Timeouts

if TYPE_CHECKING:
    from .connection import ClientConnection

_BODYLESS = frozenset({204, 304})


class Call:
    """State of one call.

    `status` is 0 until the head of the answer is complete; `complete` says that its body is too; `error` ends
    the call. `headers` are all pairs, `fields` maps each name to its last value. `chunks` holds what came of the body and was not taken yet.
    """

    __slots__ = (
        "chunks",
        "complete",
        "connection",
        "deadline",
        "error",
        "fields",
        "headers",
        "is_head",
        "is_sent",
        "status",
        "timeouts",
        "waiting_bytes",
        "wake",
        "window_bytes",
        "write_paused",
    )

    def __init__(
        self,
        wake: Callable[[], None],
        timeouts: Timeouts,
        deadline: float,
        *,
        is_head: bool = False,
        window_bytes: int = BODY_WINDOW_BYTES,
    ) -> None:
        self.wake = wake
        self.timeouts = timeouts
        self.deadline = deadline
        self.is_head = is_head
        self.window_bytes = window_bytes
        self.status = 0
        self.headers: list[Pair] = []
        self.fields: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.waiting_bytes = 0
        self.complete = False
        self.is_sent = False
        self.write_paused = False
        self.error: HttpError | None = None
        self.connection: ClientConnection | None = None

    def take(self) -> list[bytes]:
        """Take the part of the body that has come, and let more come."""
        chunks = self.chunks
        self.chunks = []
        if self.waiting_bytes >= self.window_bytes and self.connection is not None:
            self.connection.resume_body()
        self.waiting_bytes = 0
        return chunks

    def abort(self) -> None:
        """Give the call up: its connection is closed, nothing more is woken. Safe at any time."""
        connection = self.connection
        self.connection = None
        if connection is not None:
            connection.abandon(self)

    def content_length(self) -> int | None:
        """Return the length of the answer's body when it was declared."""
        length = self.fields.get(b"content-length")
        return None if length is None else int(length)

    def has_body(self) -> bool:
        """Say whether a body can follow the head of this answer."""
        return not self.is_head and self.status not in _BODYLESS
