"""Fixed window: a counter that starts anew at every full period of the clock."""

from dataclasses import dataclass, field
from typing import ClassVar

from trivium_common.ratelimit.exact import check_limit, period_us
from trivium_common.ratelimit.verdict import NEVER_US, State, Taken


@dataclass(frozen=True, slots=True)
class FixedWindow:
    """`limit` in each period. State: (number of the period, count).

    Exact within a period; around a boundary up to twice `limit` pass within one period's length. A debt
    is paid from the periods that follow.
    """

    kind: ClassVar[str] = "fixed_window"

    limit: int
    period_s: float
    max_debt: int = 0
    figures: tuple[int, int] = field(init=False, repr=False)
    horizon_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_limit(self.limit, self.max_debt)
        whole_us = period_us(self.period_s)
        object.__setattr__(self, "figures", (whole_us, 0))
        object.__setattr__(self, "horizon_us", (1 - (-self.max_debt // self.limit)) * whole_us)

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Count `cost` in this period, or say in which period there is room for it."""
        period, limit = self.figures[0], self.limit
        index, elapsed_us = divmod(now_us, period)
        count = self._count(state, index)
        total = count + cost
        if total <= limit:
            return (index, total), True, limit, limit - total, 0, 0, period - elapsed_us
        # Every period that passes pays `limit` of what is on the counter.
        retry_us = -((limit - total) // limit) * period - elapsed_us if cost <= limit else NEVER_US
        reset_us = -(-count // limit) * period - elapsed_us
        if state is not None and index < state[0]:
            state = index, count  # the clock was set back: go on from there
        return state, False, limit, max(0, limit - count), retry_us, 0, max(reset_us, 0)

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Count `extra`, past the limit by at most `max_debt`."""
        index = now_us // self.figures[0]
        return index, min(self._count(state, index) + extra, self.limit + self.max_debt)

    def _count(self, state: State, index: int) -> int:
        """What is on the counter in period `index`; a clock that was set back keeps what was counted."""
        if state is None:
            return 0
        count: int = state[1]
        passed: int = index - state[0]
        return max(0, count - passed * self.limit) if passed > 0 else count
