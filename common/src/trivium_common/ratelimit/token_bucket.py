"""Token bucket: tokens flow in at a steady rate up to `burst`; a request takes `cost` of them."""

from dataclasses import dataclass, field
from typing import ClassVar

from trivium_common.ratelimit.exact import check_limit, flow
from trivium_common.ratelimit.verdict import NEVER_US, State, Taken


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """`rate` tokens per `period_s`, at most `burst` saved up. State: (level in units, time in µs).

    Lets through at most `burst + rate * t / period_s` in any stretch of t seconds.
    """

    kind: ClassVar[str] = "token_bucket"

    rate: float
    burst: int
    period_s: float = 1.0
    max_debt: int = 0
    figures: tuple[int, int] = field(init=False, repr=False)
    capacity: int = field(init=False, repr=False)
    horizon_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_limit(self.burst, self.max_debt, "burst")
        refill, unit = flow(self.rate, self.period_s, self.burst + self.max_debt)
        object.__setattr__(self, "figures", (refill, unit))
        object.__setattr__(self, "capacity", self.burst * unit)
        object.__setattr__(self, "horizon_us", -(-(self.burst + self.max_debt) * unit // refill))

    @property
    def limit(self) -> int:
        """The most that can be taken at once."""
        return self.burst

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Take `cost` tokens, or say when they will be there. A refusal leaves the state as it was."""
        refill, unit = self.figures
        capacity = self.capacity
        # Written out instead of calling `level`: this is what every request pays.
        if state is None:
            level = capacity
        else:
            level, at_us = state
            if now_us > at_us:
                level += (now_us - at_us) * refill
                if level > capacity:
                    level = capacity
            elif now_us < at_us:
                state = level, now_us  # the clock was set back: go on from there
        need = cost * unit
        if level >= need:
            level -= need
            reset_us = -((level - capacity) // refill)
            return (level, now_us), True, self.burst, level // unit, 0, 0, reset_us
        retry_us = -((level - need) // refill) if need <= capacity else NEVER_US
        remaining = level // unit if level > 0 else 0
        return state, False, self.burst, remaining, retry_us, 0, -((level - capacity) // refill)

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Take `extra` tokens whether they are there or not, down to a debt of `max_debt`."""
        refill, unit = self.figures
        level = level_at(state, now_us, refill, self.capacity) - extra * unit
        return max(level, -self.max_debt * unit), now_us


def level_at(state: State, now_us: int, refill: int, capacity: int) -> int:
    """Units in a bucket at `now_us`; a clock that was set back refills nothing and goes on from there."""
    if state is None:
        return capacity
    level: int = state[0] + max(0, now_us - state[1]) * refill
    return min(capacity, level)
