"""aiobreaker's CircuitBreaker, driven by our state machine.

The seam is `CircuitBreaker._create_new_state`: it builds states that ask `Breaker` for leave and tell it
how the call ended. aiobreaker 1.2's own states admit every call at half-open, count late results of an
older state, mix UTC with local time, and hide the caller's error behind their own when they trip.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from aiobreaker.circuitbreaker import CircuitBreaker
from aiobreaker.state import CircuitBreakerBaseState, CircuitBreakerState
from aiobreaker.storage.base import CircuitBreakerStorage

from trivium_common.resilience.breaker import Breaker, BreakerState, Outcome

P = ParamSpec("P")
T = TypeVar("T")

_STATES = {
    BreakerState.CLOSED: CircuitBreakerState.CLOSED,
    BreakerState.OPEN: CircuitBreakerState.OPEN,
    BreakerState.HALF_OPEN: CircuitBreakerState.HALF_OPEN,
}


def judge_error(error: BaseException) -> Outcome:
    """A cancelled call proves nothing; any other error is the upstream's failure."""
    return Outcome.NEUTRAL if isinstance(error, asyncio.CancelledError) else Outcome.FAILURE


def judge_result(result: object) -> Outcome:  # noqa: ARG001 - the signature of a judge
    """A call that returns has succeeded."""
    return Outcome.SUCCESS


class _MachineStorage(CircuitBreakerStorage):
    """Shows the machine's state to aiobreaker, which looks it up before each call; stores nothing."""

    def __init__(self, machine: Breaker) -> None:
        super().__init__("machine")
        self._machine = machine

    @property  # type: ignore[misc] # no setter: the machine alone changes state
    def state(self) -> CircuitBreakerState:
        return _STATES[self._machine.state]

    @property
    def counter(self) -> int:
        return 0

    def increment_counter(self) -> None:
        """Nothing to do: the machine counts."""

    def reset_counter(self) -> None:
        """Nothing to do: the machine counts."""

    @property  # type: ignore[misc] # no setter: the machine keeps the time, on a monotonic clock
    def opened_at(self) -> datetime:
        """Never consulted: the methods that would are replaced below."""
        return datetime.now(UTC)


class _MachineState(CircuitBreakerBaseState):
    """All three states: what to admit and what an outcome means is the machine's business."""

    def __init__(self, breaker: "MachineCircuitBreaker", state: CircuitBreakerState) -> None:
        super().__init__(breaker, state)
        self._machine = breaker.machine
        self._judge_error = breaker.judge_error
        self._judge_result = breaker.judge_result

    def call(self, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        permit = self._machine.admit_nowait()
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            self._machine.record(permit, self._judge_error(error))
            raise
        self._machine.record(permit, self._judge_result(result))
        return result

    async def call_async(  # type: ignore[override] # aiobreaker declares an awaitable of an awaitable
        self, func: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        permit = self._machine.admit_nowait()
        try:
            result = await func(*args, **kwargs)
        except BaseException as error:
            self._machine.record(permit, self._judge_error(error))
            raise
        self._machine.record(permit, self._judge_result(result))
        return result


class MachineCircuitBreaker(CircuitBreaker):
    """A `CircuitBreaker` whose every decision is `machine`'s.

    `judge_error` and `judge_result` say what an exception or a returned value means to the breaker. The
    caller's own error always passes unchanged. A refused call raises the machine's `BreakerOpen`.
    """

    def __init__(
        self,
        machine: Breaker,
        *,
        judge_error: Callable[[BaseException], Outcome] = judge_error,
        judge_result: Callable[[object], Outcome] = judge_result,
    ) -> None:
        self.machine = machine
        self.judge_error = judge_error
        self.judge_result = judge_result
        super().__init__(state_storage=_MachineStorage(machine), name=machine.name)
        machine.listen(self._notice_change)

    def _create_new_state(
        self,
        new_state: CircuitBreakerState,
        prev_state: CircuitBreakerBaseState | None = None,
        notify: bool = False,
    ) -> CircuitBreakerBaseState:
        state = _MachineState(self, new_state)
        if notify:
            for listener in self.listeners:
                listener.state_change(self, prev_state, state)
        return state

    def _notice_change(self, _machine: Breaker, _old: BreakerState, new: BreakerState) -> None:
        # Also builds the state that serves from now on, so that aiobreaker's listeners hear of it at once.
        self.state = _STATES[new]

    @property
    def opens_at(self) -> datetime | None:
        """When a call will be admitted again; None when one would be admitted now."""
        wait_s = self.machine.retry_after_s
        return datetime.now(UTC) + timedelta(seconds=wait_s) if wait_s else None

    @property
    def time_until_open(self) -> timedelta | None:
        """How long until a call will be admitted again; None when one would be admitted now."""
        wait_s = self.machine.retry_after_s
        return timedelta(seconds=wait_s) if wait_s else None

    def open(self) -> None:
        """Refuse calls for the first wait of the policy."""
        self.machine.force_open(self.machine.policy.base_wait_s)

    def half_open(self) -> None:
        """Let the next call be the probe."""
        self.machine.force_open(0.0)

    def close(self) -> None:
        """Admit calls again and forget what was counted."""
        self.machine.force_close()
