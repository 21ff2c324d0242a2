"""Sliding window log: the time of every unit that was taken; exact at every moment, and the dearest in memory."""

import struct
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import ClassVar

from trivium_common.ratelimit.exact import check_limit, period_us
from trivium_common.ratelimit.verdict import NEVER_US, State, Taken

MAX_LOG = 10_000

_TIME = struct.Struct("=q")
_SIZE = _TIME.size


@dataclass(frozen=True, slots=True)
class SlidingLog:
    """At most `limit` in any stretch of `period_s`. State: packed times in µs, eight bytes for each unit."""

    kind: ClassVar[str] = "sliding_log"

    limit: int
    period_s: float
    max_debt: int = 0
    figures: tuple[int, int] = field(init=False, repr=False)
    horizon_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_limit(self.limit, self.max_debt)
        if self.limit + self.max_debt > MAX_LOG:
            raise ValueError(f"a log keeps at most {MAX_LOG} times for a key: use sliding_counter")
        object.__setattr__(self, "figures", (period_us(self.period_s), 0))
        object.__setattr__(self, "horizon_us", self.figures[0])

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Note `cost` units at `now_us`, or say when enough of the old ones have left the window."""
        period, limit = self.figures[0], self.limit
        log = self._live(state, now_us)
        used = len(log) // _SIZE
        total = used + cost
        if total <= limit:
            log += _TIME.pack(now_us) * cost
            return log, True, limit, limit - total, 0, 0, period
        retry_us = NEVER_US
        if cost <= limit:
            retry_us = _TIME.unpack_from(log, (total - limit - 1) * _SIZE)[0] + period - now_us
        reset_us = _TIME.unpack_from(log, len(log) - _SIZE)[0] + period - now_us if log else 0
        return log, False, limit, max(0, limit - used), retry_us, 0, reset_us

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Note `extra` units, past the limit by at most `max_debt`."""
        log = self._live(state, now_us)
        room = self.limit + self.max_debt - len(log) // _SIZE
        return log + _TIME.pack(now_us) * max(0, min(extra, room))

    def _live(self, state: State, now_us: int) -> bytes:
        """The times still in the window, oldest first."""
        if not state:
            return b""
        log: bytes = state
        ahead_us = _TIME.unpack_from(log, len(log) - _SIZE)[0] - now_us
        if ahead_us > 0:
            # The clock was set back (another master's clock): move the log along, or it would bind too long.
            log = array("q", [at_us - ahead_us for at_us in memoryview(log).cast("q")]).tobytes()
        gone_us = now_us - self.figures[0]
        if _TIME.unpack_from(log)[0] > gone_us:
            return log
        return log[bisect_right(memoryview(log).cast("q"), gone_us) * _SIZE :]
