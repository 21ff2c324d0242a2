"""A rule: one or more windows that a key must satisfy together."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from trivium_common.ratelimit.verdict import NEVER_US, State, Taken


class Window(Protocol):
    """One algorithm with its figures: pure functions of (state, now, cost), no clock and no store of its own."""

    kind: ClassVar[str]

    @property
    def figures(self) -> tuple[int, int]:
        """The algorithm's own two whole numbers, as its script takes them."""

    @property
    def max_debt(self) -> int:
        """How far `charge` may go past the limit."""

    @property
    def limit(self) -> int:
        """The most that can be taken at once."""

    @property
    def horizon_us(self) -> int:
        """After so long untouched, a state is worth as much as none: the key may be forgotten."""

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Take `cost` (at least 1), or say when it will be there."""

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Take `extra` at once, into debt up to the window's bound."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` and its windows, all or nothing: a refusal by one window charges none."""

    name: str
    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        if not self.windows:
            raise ValueError(f"rule {self.name} needs at least one window")

    @property
    def horizon_us(self) -> int:
        """After so long untouched, a key may be forgotten."""
        return max(window.horizon_us for window in self.windows)

    @property
    def max_cost(self) -> int:
        """What a single request may cost at most; a dearer one is always refused."""
        return min(window.limit for window in self.windows)

    def take(self, state: State, now_us: int, cost: int) -> Taken:
        """Take `cost` from every window, or from none. Reports the window that binds the caller most."""
        states = state or (None,) * len(self.windows)
        taken = [window.take(of, now_us, cost) for window, of in zip(self.windows, states, strict=True)]
        if all(one[1] for one in taken):
            tightest = min(taken, key=lambda one: one[3])
            delay_us = max(one[5] for one in taken)
            return tuple(one[0] for one in taken), *tightest[1:5], delay_us, tightest[6]
        refusals = [one for one in taken if not one[1]]
        longest = max(refusals, key=lambda one: (one[4] == NEVER_US, one[4]))
        if state is not None:
            kept = (of if one[1] else one[0] for one, of in zip(taken, states, strict=True))
            state = tuple(kept)
        return state, *longest[1:]

    def charge(self, state: State, now_us: int, extra: int) -> State:
        """Charge `extra` to every window."""
        states = state or (None,) * len(self.windows)
        return tuple(
            window.charge(of, now_us, extra) for window, of in zip(self.windows, states, strict=True)
        )
