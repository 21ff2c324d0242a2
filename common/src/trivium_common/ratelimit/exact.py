"""Whole-number arithmetic for limits, within what Lua's doubles hold exactly."""

from fractions import Fraction

# Below this every sum, product and floor of a quotient of ours is exact in a double too.
MAX_EXACT = 2**52


def period_us(period_s: float) -> int:
    """`period_s` in whole microseconds.

    Raises: ValueError, when it is shorter than a millisecond.
    """
    whole_us = round(Fraction(str(period_s)) * 1_000_000)
    if whole_us < 1000:
        raise ValueError("a period must be at least a millisecond")
    return whole_us


def flow(rate: float, period_s: float, capacity: int) -> tuple[int, int]:
    """`rate` per `period_s` as whole numbers (units per microsecond, units per token).

    With them nothing drifts, and a retry time is true to the microsecond.

    Raises: ValueError, when the rate is not positive or `capacity` tokens exceed what Lua can count.
    """
    if rate <= 0:
        raise ValueError("rate must be above 0")
    per_us = Fraction(str(rate)) / period_us(period_s)
    exact = per_us.limit_denominator(MAX_EXACT // capacity)
    if exact <= 0:
        raise ValueError(
            f"{rate} per {period_s} s with room for {capacity} is more than can be counted exactly"
        )
    return exact.numerator, exact.denominator


def check_limit(limit: int, max_debt: int, name: str = "limit") -> None:
    """Refuse figures that limit nothing.

    Raises: ValueError.
    """
    if limit < 1:
        raise ValueError(f"{name} must be at least 1")
    if max_debt < 0:
        raise ValueError("max_debt must be at least 0")
