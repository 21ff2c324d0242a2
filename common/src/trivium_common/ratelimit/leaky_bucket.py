"""Leaky bucket as a queue: requests leave at a steady rate, the excess waits its turn, a full queue refuses."""

from dataclasses import dataclass, field
from typing import ClassVar

from trivium_common.ratelimit.exact import check_limit, flow
from trivium_common.ratelimit.token_bucket import level_at
from trivium_common.ratelimit.verdict import NEVER_US, State, Taken


@dataclass(frozen=True, slots=True)
class LeakyBucket:
    """`rate` requests leave per `period_s`, at most `queue` wait. State: (free room in units, time in µs).

    An allowed request must be held for the delay it is given; so at most `1 + rate * t / period_s` leave
    in any stretch of t seconds. A caller that goes away while it waits keeps its place: the slot is spent.
    """

    kind: ClassVar[str] = "leaky_bucket"

    rate: float
    queue: int
    period_s: float = 1.0
    max_debt: int = 0
    figures: tuple[int, int] = field(init=False, repr=False)
    capacity: int = field(init=False, repr=False)
    horizon_us: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_limit(self.queue + 1, self.max_debt, "queue + 1")
        refill, unit = flow(self.rate, self.period_s, self.limit + self.max_debt)
        object.__setattr__(self, "figures", (refill, unit))
        object.__setattr__(self, "capacity", self.limit * unit)
        object.__setattr__(self, "horizon_us", -(-(self.limit + self.max_debt) * unit // refill))

    @property
    def limit(self) -> int:
        """The queue's places and the one that leaves at once."""
        return self.queue + 1

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Join the queue with `cost`: the delay is the time until those before it have left."""
        refill, unit = self.figures
        capacity = self.capacity
        room = level_at(state, now_us, refill, capacity)
        need = cost * unit
        if room >= need:
            delay_us = -((room - capacity) // refill)
            room -= need
            reset_us = -((room - capacity) // refill)
            return (room, now_us), True, self.limit, room // unit, 0, delay_us, reset_us
        retry_us = -((room - need) // refill) if need <= capacity else NEVER_US
        if state is not None and now_us < state[1]:
            state = room, now_us  # the clock was set back: go on from there
        return state, False, self.limit, max(0, room // unit), retry_us, 0, -((room - capacity) // refill)

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Lengthen the queue by `extra`, past its end by at most `max_debt`."""
        refill, unit = self.figures
        room = level_at(state, now_us, refill, self.capacity) - extra * unit
        return max(room, -self.max_debt * unit), now_us
