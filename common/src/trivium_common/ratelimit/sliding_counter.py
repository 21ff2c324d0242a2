"""Sliding window counter: this period's count plus the previous one's, weighted by how much of it is in view."""

from dataclasses import dataclass, field
from typing import ClassVar

from trivium_common.ratelimit.exact import MAX_EXACT, check_limit, period_us
from trivium_common.ratelimit.verdict import NEVER_US, State, Taken

_TICKS_US = (1, 1000, 1_000_000)


@dataclass(frozen=True, slots=True)
class SlidingCounter:
    """About `limit` in any stretch of `period_s`. State: (number of the period, its count, the previous count).

    Used = count + previous * (share of the previous period still in the window); refused when used is at
    or above `limit`. Exact if the previous period was evenly busy.
    """

    kind: ClassVar[str] = "sliding_counter"

    limit: int
    period_s: float
    max_debt: int = 0
    # (period in ticks, microseconds in a tick): the finest tick whose products stay exact.
    figures: tuple[int, int] = field(init=False, repr=False)
    horizon_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_limit(self.limit, self.max_debt)
        whole_us = period_us(self.period_s)
        for tick_us in _TICKS_US:
            if (
                whole_us % tick_us == 0
                and 2 * (self.limit + self.max_debt) * (whole_us // tick_us) <= MAX_EXACT
            ):
                object.__setattr__(self, "figures", (whole_us // tick_us, tick_us))
                object.__setattr__(self, "horizon_us", 2 * whole_us)
                return
        raise ValueError(f"{self.limit} per {self.period_s} s is more than can be counted exactly")

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Count `cost`, or say when so much of the past has left the window that it fits."""
        period, tick_us = self.figures
        limit = self.limit
        index, elapsed = divmod(now_us // tick_us, period)
        count, previous = _roll(state, index)
        left = limit - (previous * (period - elapsed) + count * period) // period
        if left >= cost:
            count += cost
            reset_us = self._wait_us(count, previous, elapsed, 1, now_us)
            return (index, count, previous), True, limit, left - cost, 0, 0, reset_us
        retry_us = NEVER_US
        if cost <= limit:
            retry_us = self._wait_us(count, previous, elapsed, limit - cost + 1, now_us)
        reset_us = self._wait_us(count, previous, elapsed, 1, now_us)
        if state is not None and index < state[0]:
            state = index, count, previous  # the clock was set back: go on from there
        return state, False, limit, max(0, left), retry_us, 0, reset_us

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Count `extra`, past the limit by at most `max_debt`."""
        period, tick_us = self.figures
        index = now_us // tick_us // period
        count, previous = _roll(state, index)
        return index, max(count, min(count + extra, self.limit + self.max_debt)), previous

    def _wait_us(self, count: int, previous: int, elapsed: int, below: int, now_us: int) -> int:
        """Microseconds until what is used falls below `below` (at least 1)."""
        period, tick_us = self.figures
        if previous * (period - elapsed) + count * period < below * period:
            return 0
        at = period  # ticks since this period began
        if count < below:
            # It may fall far enough within this period, and at the latest at its end.
            at = min(period, period * (previous + count - below) // previous + 1)
        else:
            at += period * (count - below) // count + 1
        return (at - elapsed) * tick_us - now_us % tick_us


def _roll(state: State, index: int) -> tuple[int, int]:
    """(count, previous count) in period `index`; a clock that was set back keeps both."""
    if state is None:
        return 0, 0
    then, count, previous = state
    passed = index - then
    if passed <= 0:
        return count, previous
    return 0, count if passed == 1 else 0
