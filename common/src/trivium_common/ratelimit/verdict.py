"""What a limiter answers, and the plain figures that every algorithm reports, in Python and in Lua alike."""

from typing import Any, NamedTuple, TypeAlias

# Opaque: only the algorithm that made a state reads it. None stands for a key that was never seen.
State: TypeAlias = Any

# (state after, allowed, limit, remaining, retry_after_us, delay_us, reset_us)
Taken: TypeAlias = tuple[State, bool, int, int, int, int, int]

# Retry-after of a request that costs more than its rule can ever grant: no wait helps.
NEVER_US = -1


class Verdict(NamedTuple):
    """Whether a request may pass, and what to tell the caller.

    `remaining`: what is left for now, never negative · `retry_after_s`: 0.0 when allowed; when refused,
    waiting that long succeeds unless others spend it first (`inf`: it costs more than the rule ever
    grants) · `delay_s`: hold an allowed request that long (leaky bucket), else 0.0 · `reset_after_s`: when
    all of `limit` is free again · `rule`: name of the rule · `is_certain`: False when the shared count could
    not be asked and the answer is what `fault_tolerant` says.
    """

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: float
    delay_s: float
    reset_after_s: float
    rule: str
    is_certain: bool = True
