"""Coarse timeouts for many connections: one timer per event loop that turns every 50 ms.

Moving a timeout later costs one attribute store; the wheel looks again when it comes by. A timeout fires up
to one tick late, never early.
"""

import asyncio
from time import monotonic
from typing import Protocol
from weakref import WeakKeyDictionary

TICK_S = 0.05
NEVER = float("inf")


class Expiring(Protocol):
    """What the wheel watches. `expires_at` may be changed freely to a later time; an earlier one needs `watch`."""

    expires_at: float
    next_look_at: float

    def expire(self, now: float) -> None:
        """Act on the timeout; the wheel forgets the object unless it sets a new one with `watch`."""


class TimerWheel:
    """All timeouts of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Expiring]] = {}
        self._turned_to = 0
        self._is_turning = False

    def watch(self, entry: Expiring, at: float) -> None:
        """Let `entry` expire at `at` (monotonic seconds)."""
        entry.expires_at = at
        if at < entry.next_look_at:
            self._insert(entry, at)

    def _insert(self, entry: Expiring, at: float) -> None:
        if not self._is_turning:
            self._is_turning = True
            self._turned_to = int(monotonic() / TICK_S)
            self._loop.call_later(TICK_S, self._turn)
        entry.next_look_at = at
        # A slot of the past would never be looked at.
        slot = max(int(at / TICK_S), self._turned_to) + 1
        self._slots.setdefault(slot, []).append(entry)

    def _turn(self) -> None:
        now = monotonic()
        for slot in range(self._turned_to + 1, int(now / TICK_S) + 1):
            for entry in self._slots.pop(slot, ()):
                self._look(entry, slot, now)
            self._turned_to = slot
        if self._slots:
            self._loop.call_later(TICK_S, self._turn)
        else:
            self._is_turning = False

    def _look(self, entry: Expiring, slot: int, now: float) -> None:
        if entry.next_look_at >= slot * TICK_S:
            return  # it was moved to an earlier slot once, and this is what was left behind
        entry.next_look_at = NEVER
        if entry.expires_at <= now:
            entry.expire(now)
        elif entry.expires_at < NEVER:
            self._insert(entry, entry.expires_at)


_wheels: WeakKeyDictionary[asyncio.AbstractEventLoop, TimerWheel] = WeakKeyDictionary()


def wheel_of(loop: asyncio.AbstractEventLoop) -> TimerWheel:
    """Return the one wheel of `loop`."""
    wheel = _wheels.get(loop)
    if wheel is None:
        wheel = _wheels[loop] = TimerWheel(loop)
    return wheel
