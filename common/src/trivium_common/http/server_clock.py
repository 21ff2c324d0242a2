"""The time side of a server's connection: one expiry, kept by the timer wheel, for whatever it waits for now."""

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from .exchange import ClientTooSlow, DeadlinePassed, Exchange
from .wheel import NEVER

if TYPE_CHECKING:
    from .server import HttpServer


class ServerClock(asyncio.Protocol):
    """What a connection knows about time. `_since` is when the client's turn began: to ask, or to send its body."""

    __slots__ = (
        "_active",
        "_head_since",
        "_in_head",
        "_incoming",
        "_is_lingering",
        "_is_open",
        "_is_paused",
        "_server",
        "_since",
        "_transport",
        "_unsent_bytes",
        "_wheel",
        "_write_since",
        "expires_at",
        "next_look_at",
        "write_paused",
    )

    _transport: asyncio.Transport

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._wheel = server.wheel
        self._active: Exchange | None = None
        self._incoming: Exchange | None = None
        self._in_head = False
        self._is_open = False
        self._is_paused = False
        self._is_lingering = False
        self._since = self._head_since = self._write_since = 0.0
        self._unsent_bytes = 0
        self.write_paused = False
        self.expires_at = self.next_look_at = NEVER

    def set_expiry(self, at: float) -> None:
        """Have `expire` called at `at`, or earlier."""
        self.expires_at = at
        if at < self.next_look_at:
            self._wheel.watch(self, at)

    def await_body(self) -> None:
        """Start the time that the client has for the next part of the body."""
        self._since = monotonic()
        self.set_expiry(self._since + self._server.limits.body_timeout_s)

    def abort(self) -> None:
        """Break the connection."""
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def expire(self, now: float) -> None:
        """Called by the timer wheel: end what has run out of time, or find when the next thing will."""
        if not self._is_open:
            self._transport.abort()  # closing, and the client does not take the rest
            return
        next_at = self._expire_write(now) if self.write_paused else NEVER
        if self._is_lingering:
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

    def _await_drain(self) -> float:
        self._write_since = monotonic()
        self._unsent_bytes = self._transport.get_write_buffer_size()
        return self._write_since + self._server.limits.write_timeout_s

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
