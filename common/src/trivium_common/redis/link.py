"""One shared connection to one Redis: calls of one loop tick go out together, each with a bounded wait.

The link keeps itself up. While Redis is away calls are turned down at once, so an outage costs nobody the
wait again; the attempts to come back run beside the requests, never on them.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeAlias, cast

import hiredis

from trivium_common.redis.availability import Availability
from trivium_common.redis.handover import CannotConnect, Connect

Reply: TypeAlias = Any

# A Redis that let so many waits run out in a row, without one reply between, counts as away.
_STRIKES = 3
_FIRST_WAIT_S = 0.1
_MAX_WAIT_S = 1.0
_STEADY_S = 1.0
# Server-side conditions that a new connection (to another master, perhaps) can mend.
_RECONNECT_CODES = frozenset({"READONLY", "LOADING", "MASTERDOWN", "NOAUTH"})
# Answers that only tell the caller what to do next.
_ROUTINE_CODES = frozenset({"NOSCRIPT", "MOVED", "ASK", "TRYAGAIN"})


class ErrorReply(Exception):
    """Redis refused a command; the first word of its answer is the `code`."""

    @property
    def code(self) -> str:
        """NOSCRIPT, READONLY, OOM, ..."""
        return str(self).partition(" ")[0]


class Unanswered(Exception):
    """No reply came in time, or the connection was lost; the command may have been carried out or not."""


Settle: TypeAlias = Callable[[Reply], None]


def ignore(reply: Reply) -> None:
    """Settles a call whose reply says nothing new."""


class LinkState(StrEnum):
    """CONNECTING calls wait for the connection, within their bound; DOWN ones are turned down at once."""

    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"


class Link(asyncio.Protocol):
    """Send commands with `send_nowait`, keep `run()` going beside. Belongs to one event loop."""

    def __init__(
        self,
        connect: Connect,
        availability: Availability,
        *,
        timeout_s: float = 0.05,
        max_pending: int = 10_000,
    ) -> None:
        self.state = LinkState.CONNECTING
        self._connect = connect
        self._availability = availability
        self._timeout_s = timeout_s
        self._max_pending = max_pending
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(replyError=ErrorReply)
        self._out: list[bytes] = []
        self._is_flush_due = False
        # Deadlines never decrease along the queue, so those whose wait ran out are always its head.
        self._pending: deque[tuple[float, Settle]] = deque()
        self._late = 0  # replies still to come for calls that were given up
        self._strikes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._lost = asyncio.Event()
        self._ready = asyncio.Event()

    def snapshot(self) -> dict[str, object]:
        """State, present failure and counts, for `explain` and the control socket."""
        return {
            "state": self.state.value,
            "reason": self._availability.reason,
            "failures": self._availability.failures,
            "in_flight": len(self._pending),
        }

    async def wait_ready(self, timeout_s: float) -> bool:
        """Wait until the first attempt to connect has ended either way; whether the link is up."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        except TimeoutError:
            pass
        return self.state is LinkState.UP

    async def run(self) -> None:
        """Keep the connection up until cancelled."""
        self._loop = loop = asyncio.get_running_loop()
        wait_s = _FIRST_WAIT_S
        try:
            while True:
                was_up_s = await self._connect_once(loop)
                if was_up_s >= _STEADY_S:
                    # A connection that worked earns a prompt second attempt; a flapping one does not.
                    wait_s = _FIRST_WAIT_S
                    if self.state is LinkState.CONNECTING:
                        continue
                self.state = LinkState.DOWN
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, _MAX_WAIT_S)
        finally:
            self._go_down("shut down", is_failure=False)

    async def _connect_once(self, loop: asyncio.AbstractEventLoop) -> float:
        """Connect and stay until the connection is lost; for how many seconds it was up."""
        try:
            connection = await self._connect(self)
        except (CannotConnect, TimeoutError) as error:
            self._go_down(str(error) or "no answer in time")
            self._ready.set()
            return 0.0
        up_at = loop.time()
        self._ready.set()
        settled = loop.call_later(_STEADY_S * 1.1, self._settle_down)
        try:
            await self._lost.wait()
        finally:
            settled.cancel()
            if self.state is LinkState.UP:
                self._go_down("shut down", is_failure=False)
            connection.release()
        return loop.time() - up_at

    def send_nowait(self, command: bytes, settle: Settle, deadline: float | None = None) -> bool:
        """Send a packed command; `settle` gets the reply, an ErrorReply or an Unanswered, exactly once.

        False when the link is down or full: then nothing was sent and `settle` is not called. `deadline`:
        loop time, by default the link's bound from now.
        """
        loop = self._loop
        if self.state is LinkState.DOWN or len(self._pending) >= self._max_pending or loop is None:
            return False
        self._pending.append((deadline or loop.time() + self._timeout_s, settle))
        self._out.append(command)
        if not self._is_flush_due:
            self._is_flush_due = True
            loop.call_soon(self._flush)
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is logged in and ours."""
        self._transport = cast(asyncio.Transport, transport)
        self._reader = hiredis.Reader(replyError=ErrorReply)
        self._late = self._strikes = 0
        self._lost.clear()
        self.state = LinkState.UP
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand each reply to the call it belongs to, in order."""
        self._strikes = 0
        reader = self._reader
        reader.feed(data)
        try:
            while (reply := reader.gets()) is not False:
                if self._late:
                    self._late -= 1
                    continue
                settle = self._pending.popleft()[1]
                settle(reply)
                if type(reply) is ErrorReply:
                    if reply.code in _RECONNECT_CODES:
                        self._go_down(str(reply))
                        return
                    if reply.code not in _ROUTINE_CODES:
                        self._availability.failed(str(reply))
                elif not self._availability.is_up:
                    self._availability.succeeded()
        except (hiredis.ProtocolError, IndexError):
            self._go_down("it does not speak Redis's protocol")

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The server closed: try again at once, calls that come meanwhile wait within their bound."""
        if self._transport is None:
            return
        self._transport = None
        self.state = LinkState.CONNECTING
        self._abandon(Unanswered("the connection was lost"))
        self._lost.set()

    def _settle_down(self) -> None:
        if self.state is LinkState.UP:
            self._availability.succeeded()

    def _flush(self) -> None:
        self._is_flush_due = False
        if self._timer is None and self._pending:
            self._timer = asyncio.get_running_loop().call_at(self._pending[0][0], self._expire)
        if self._transport is not None and self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _expire(self) -> None:
        """Give up the calls whose wait ran out, and the server when it happens again and again."""
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        pending = self._pending
        given_up = []
        while pending and pending[0][0] <= now:
            given_up.append(pending.popleft()[1])
        if given_up:
            self._strikes += 1
            if self._transport is not None:
                self._late += len(given_up)
            else:
                # Nothing has gone out yet: what nobody waits for any more need not.
                del self._out[: len(given_up)]
            reason = f"no answer in {self._timeout_s * 1000:.0f} ms"
            self._availability.failed(reason)
            for settle in given_up:
                settle(Unanswered(reason))
            if self._strikes >= _STRIKES:
                self._go_down(f"{reason}, {_STRIKES} times in a row")
                return
        if pending:
            # Not for every call of its own: a fifth of the bound is fine enough.
            self._timer = loop.call_at(max(pending[0][0], now + self._timeout_s / 5), self._expire)

    def _go_down(self, reason: str, *, is_failure: bool = True) -> None:
        self.state = LinkState.DOWN
        if is_failure:
            self._availability.failed(reason)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        self._abandon(Unanswered(reason))
        self._lost.set()

    def _abandon(self, why: Unanswered) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._out.clear()
        pending, self._pending = self._pending, deque()
        for _, settle in pending:
            settle(why)
