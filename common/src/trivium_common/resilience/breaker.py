"""The circuit breaker: one synchronous state machine for the edge and, through aiobreaker, for the BFFs.

closed --consecutive failures--> open --wait over--> half-open --successes--> closed, or back to open
with a longer wait. What aiobreaker's own states get wrong is settled here: half-open admits exactly one
probe, a result that belongs to an older state is ignored, a cancelled call is neutral, the clock is
monotonic, and the wait it announces is the wait it keeps.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """The three states of Nygard's circuit breaker (Release It!, chapter 5)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """How an admitted call ended. NEUTRAL (cancelled, never sent) proves nothing either way."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to open, how long to wait, when to close again.

    The n-th wait is `base_wait_s * factor ** n`, at most `max_wait_s`, shortened by up to `jitter` (a
    share of it) so that many processes do not probe in step.
    """

    failures_to_open: int = 3
    successes_to_close: int = 2
    base_wait_s: float = 2.0
    factor: float = 2.0
    max_wait_s: float = 60.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.failures_to_open < 1 or self.successes_to_close < 1:
            raise ValueError("failures_to_open and successes_to_close must be at least 1")
        if not 0 < self.base_wait_s <= self.max_wait_s:
            raise ValueError("base_wait_s must be above 0 and at most max_wait_s")
        if self.factor < 1 or not 0 <= self.jitter < 1:
            raise ValueError("factor must be at least 1 and jitter in [0, 1)")


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to make one call; hand it back to `record` with the outcome. `epoch` names the state it is of."""

    epoch: int
    is_probe: bool


class BreakerOpen(Exception):
    """The call was not made; `retry_after_s` is when the breaker will admit one again."""

    def __init__(self, name: str, retry_after_s: float) -> None:
        super().__init__(f"breaker {name} is open for another {retry_after_s:.1f} s")
        self.name = name
        self.retry_after_s = retry_after_s


Listener = Callable[["Breaker", BreakerState, BreakerState], None]


class Breaker:
    """One upstream's breaker in one process. Not thread-safe: it belongs to one event loop."""

    __slots__ = (
        "_clock",
        "_epoch",
        "_failures",
        "_listeners",
        "_openings",
        "_permit",
        "_probe_is_out",
        "_retry_at",
        "_rng",
        "_state",
        "_successes",
        "name",
        "policy",
    )

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.policy = policy or BreakerPolicy()
        self._clock = clock
        self._rng = rng
        self._listeners: list[Listener] = []
        self._state = BreakerState.CLOSED
        self._epoch = 0
        self._failures = 0
        self._successes = 0
        self._openings = 0
        self._retry_at = 0.0
        self._probe_is_out = False
        # The permit of the closed state is the same for every call: one object serves them all.
        self._permit = Permit(0, is_probe=False)

    @property
    def state(self) -> BreakerState:
        """The state as of the last event; an open breaker whose wait is over still says open until asked."""
        return self._state

    @property
    def retry_after_s(self) -> float:
        """Seconds until an open breaker admits a probe; 0.0 when it is not open."""
        if self._state is not BreakerState.OPEN:
            return 0.0
        return max(0.0, self._retry_at - self._clock())

    def listen(self, listener: Listener) -> None:
        """Call `listener(breaker, old, new)` at each change of state."""
        self._listeners.append(listener)

    def admit_nowait(self) -> Permit:
        """Leave to make a call now.

        Raises: BreakerOpen, while open, and in half-open while the one probe is out.
        """
        if self._state is BreakerState.CLOSED:
            return self._permit
        if self._state is BreakerState.OPEN:
            wait_s = self._retry_at - self._clock()
            if wait_s > 0:
                raise BreakerOpen(self.name, wait_s)
            self._successes = 0
            self._enter(BreakerState.HALF_OPEN)
        if self._probe_is_out:
            # When the probe will be back nobody knows; if it fails, this is the wait that follows.
            raise BreakerOpen(self.name, self._wait_s(self._openings))
        self._probe_is_out = True
        return Permit(self._epoch, is_probe=True)

    def record(self, permit: Permit, outcome: Outcome) -> None:
        """Tell how the call of `permit` ended. A result of an older state changes nothing."""
        if permit.epoch != self._epoch:
            return
        if self._state is BreakerState.CLOSED:
            self._record_closed(outcome)
        elif permit.is_probe:
            self._record_probe(outcome)

    def force_open(self, wait_s: float) -> None:
        """Open at once for `wait_s` seconds, as an operator may ask."""
        self._open(wait_s)

    def force_close(self) -> None:
        """Close at once and forget what was counted, as an operator may ask."""
        self._close()

    def _record_closed(self, outcome: Outcome) -> None:
        if outcome is Outcome.SUCCESS:
            self._failures = 0
        elif outcome is Outcome.FAILURE:
            self._failures += 1
            if self._failures >= self.policy.failures_to_open:
                self._open(self._wait_s(0))

    def _record_probe(self, outcome: Outcome) -> None:
        self._probe_is_out = False
        if outcome is Outcome.FAILURE:
            self._open(self._wait_s(self._openings))
        elif outcome is Outcome.SUCCESS:
            self._successes += 1
            if self._successes >= self.policy.successes_to_close:
                self._close()

    def _wait_s(self, openings: int) -> float:
        policy = self.policy
        # The exponent is bounded so that a long outage cannot overflow the power.
        wait_s = min(policy.base_wait_s * policy.factor ** min(openings, 64), policy.max_wait_s)
        return wait_s * (1 - policy.jitter * self._rng())

    def _open(self, wait_s: float) -> None:
        self._openings += 1
        self._retry_at = self._clock() + wait_s
        self._enter(BreakerState.OPEN)

    def _close(self) -> None:
        self._openings = 0
        self._enter(BreakerState.CLOSED)

    def _enter(self, state: BreakerState) -> None:
        old = self._state
        self._state = state
        self._epoch += 1
        self._failures = 0
        self._probe_is_out = False
        self._permit = Permit(self._epoch, is_probe=False)
        if old is not state:
            for listener in self._listeners:
                listener(self, old, state)
