"""Token bucket: tokens flow in at a steady rate up to `burst`; a request takes `cost` of them."""

from dataclasses import dataclass, field
from fractions import Fraction

from trivium_common.ratelimit.verdict import NEVER_US, State, Taken

# Lua knows only doubles: below this every sum, product and floor of a quotient of ours is exact.
MAX_EXACT = 2**52


def flow(rate: float, period_s: float, capacity: int) -> tuple[int, int]:
    """`rate` per `period_s` as whole numbers (units per microsecond, units per token).

    With them all arithmetic is exact, in Python and in Lua: no drift, and a retry time that is true to
    the microsecond.

    Raises: ValueError, when the rate is not positive or `capacity` tokens exceed what Lua can count.
    """
    if rate <= 0 or period_s <= 0:
        raise ValueError("rate and period_s must be above 0")
    per_us = Fraction(str(rate)) / (Fraction(str(period_s)) * 1_000_000)
    exact = per_us.limit_denominator(MAX_EXACT // max(1, capacity))
    if exact <= 0:
        raise ValueError(
            f"{rate} per {period_s} s with room for {capacity} is more than can be counted exactly"
        )
    return exact.numerator, exact.denominator


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """`rate` tokens per `period_s`, at most `burst` saved up. State: (level in units, time in µs).

    Lets through at most `burst + rate * t / period_s` in any stretch of t seconds.
    """

    rate: float
    burst: int
    period_s: float = 1.0
    max_debt: int = 0
    kind: str = field(default="token_bucket", init=False, repr=False)
    refill: int = field(init=False, repr=False)
    unit: int = field(init=False, repr=False)
    capacity: int = field(init=False, repr=False)
    horizon_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.burst < 1 or self.max_debt < 0:
            raise ValueError("burst must be at least 1 and max_debt at least 0")
        refill, unit = flow(self.rate, self.period_s, self.burst + self.max_debt)
        derived = {
            "refill": refill,
            "unit": unit,
            "capacity": self.burst * unit,
            "horizon_us": -(-(self.burst + self.max_debt) * unit // refill),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    @property
    def limit(self) -> int:
        """The most that can be taken at once."""
        return self.burst

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Take `cost` tokens, or say when they will be there. A refusal leaves the state as it was."""
        level = self.level(state, now_us)
        unit = self.unit
        need = cost * unit
        if level >= need:
            level -= need
            reset_us = -(-(self.capacity - level) // self.refill)
            return (level, now_us), True, self.burst, level // unit, 0, 0, reset_us
        refill = self.refill
        retry_us = NEVER_US if need > self.capacity else -((level - need) // refill)
        reset_us = -(-(self.capacity - level) // refill)
        return state, False, self.burst, level // unit if level > 0 else 0, retry_us, 0, reset_us

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Take `extra` tokens whether they are there or not, down to a debt of `max_debt`."""
        level = self.level(state, now_us) - extra * self.unit
        return max(level, -self.max_debt * self.unit), now_us

    def level(self, state: State, now_us: int) -> int:
        """Units in the bucket at `now_us`."""
        if state is None:
            return self.capacity
        level: int = state[0]
        elapsed_us = now_us - state[1]
        # A clock that was set back gives nothing, and refilling goes on from the new time.
        if elapsed_us > 0:
            level += elapsed_us * self.refill
            if level > self.capacity:
                return self.capacity
        return level
