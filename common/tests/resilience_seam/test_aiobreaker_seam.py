"""aiobreaker's own CircuitBreaker keeps our promises: what its states get wrong is tried here."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiobreaker import CircuitBreaker, CircuitBreakerListener
from aiobreaker.state import CircuitBreakerState

from trivium_common.resilience.aiobreaker_seam import MachineCircuitBreaker
from trivium_common.resilience.breaker import Breaker, BreakerOpen, BreakerPolicy, BreakerState, Outcome


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> MachineCircuitBreaker:
    policy = BreakerPolicy(failures_to_open=3, successes_to_close=2, base_wait_s=2.0, jitter=0.0)
    return MachineCircuitBreaker(Breaker("orders", policy, clock=clock))


async def fail() -> None:
    raise ConnectionResetError("gone")


async def succeed() -> str:
    return "fine"


async def open_it(breaker: MachineCircuitBreaker) -> None:
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            await breaker.call_async(fail)


async def wait_at(gate: asyncio.Event, then: Callable[[], Awaitable[object]]) -> object:
    await gate.wait()
    return await then()


async def test_the_callers_own_error_passes_even_when_it_trips_the_breaker(
    breaker: MachineCircuitBreaker,
) -> None:
    await open_it(breaker)

    assert isinstance(breaker, CircuitBreaker)
    assert breaker.current_state is CircuitBreakerState.OPEN
    with pytest.raises(BreakerOpen) as refused:
        await breaker.call_async(succeed)
    assert refused.value.retry_after_s == pytest.approx(2.0)


async def test_half_open_admits_exactly_one_of_many_concurrent_calls(
    breaker: MachineCircuitBreaker, clock: Clock
) -> None:
    await open_it(breaker)
    clock.now += 2.0
    gate = asyncio.Event()
    outcomes: list[object] = []

    async def call() -> None:
        try:
            outcomes.append(await breaker.call_async(wait_at, gate, succeed))
        except BreakerOpen as refused:
            outcomes.append(refused)
        if len(outcomes) == 499:
            gate.set()

    async with asyncio.TaskGroup() as group:
        for _ in range(500):
            group.create_task(call())

    assert outcomes.count("fine") == 1
    assert breaker.current_state is CircuitBreakerState.HALF_OPEN


async def test_two_successful_probes_close_it(breaker: MachineCircuitBreaker, clock: Clock) -> None:
    await open_it(breaker)
    clock.now += 2.0

    await breaker.call_async(succeed)
    assert breaker.current_state is CircuitBreakerState.HALF_OPEN
    await breaker.call_async(succeed)

    assert breaker.current_state is CircuitBreakerState.CLOSED


async def test_late_failures_of_calls_in_flight_do_not_extend_the_open_time(
    breaker: MachineCircuitBreaker, clock: Clock
) -> None:
    gate = asyncio.Event()

    async def late() -> None:
        with pytest.raises(ConnectionResetError):
            await breaker.call_async(wait_at, gate, fail)

    async with asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(late())
        await asyncio.sleep(0)  # let them all start
        await open_it(breaker)
        clock.now += 1.5
        gate.set()

    assert breaker.machine.retry_after_s == pytest.approx(0.5)


async def test_a_cancelled_probe_is_released_and_proves_nothing(
    breaker: MachineCircuitBreaker, clock: Clock
) -> None:
    await open_it(breaker)
    clock.now += 2.0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await breaker.call_async(asyncio.Event().wait)

    assert breaker.current_state is CircuitBreakerState.HALF_OPEN
    assert await breaker.call_async(succeed) == "fine"


async def test_a_returned_value_can_be_a_failure_and_an_error_can_be_a_success(clock: Clock) -> None:
    breaker = MachineCircuitBreaker(
        Breaker("orders", clock=clock),
        judge_result=lambda status: Outcome.FAILURE if status == 503 else Outcome.SUCCESS,
        judge_error=lambda error: Outcome.SUCCESS if isinstance(error, KeyError) else Outcome.FAILURE,
    )

    async def answer(status: int) -> int:
        return status

    async def not_found() -> None:
        raise KeyError("o1")

    for _ in range(5):
        with pytest.raises(KeyError):
            await breaker.call_async(not_found)
    assert breaker.current_state is CircuitBreakerState.CLOSED
    assert [await breaker.call_async(answer, 503) for _ in range(3)] == [503, 503, 503]
    assert breaker.current_state is CircuitBreakerState.OPEN


async def test_aiobreakers_listeners_hear_of_every_change_once(
    breaker: MachineCircuitBreaker, clock: Clock
) -> None:
    changes: list[tuple[CircuitBreakerState, CircuitBreakerState]] = []

    class Recorder(CircuitBreakerListener):
        def state_change(self, breaker, old, new) -> None:  # type: ignore[no-untyped-def]
            changes.append((old.state, new.state))

    breaker.add_listener(Recorder())
    await open_it(breaker)
    clock.now += 2.0
    await breaker.call_async(succeed)
    await breaker.call_async(succeed)

    closed, opened, half = CircuitBreakerState.CLOSED, CircuitBreakerState.OPEN, CircuitBreakerState.HALF_OPEN
    assert changes == [(closed, opened), (opened, half), (half, closed)]


async def test_it_can_be_opened_and_closed_by_hand_and_called_without_await(
    breaker: MachineCircuitBreaker,
) -> None:
    breaker.open()
    with pytest.raises(BreakerOpen):
        breaker.call(len, "abc")
    assert breaker.time_until_open is not None

    breaker.half_open()
    assert breaker.call(len, "abc") == 3
    breaker.close()

    assert breaker.machine.state is BreakerState.CLOSED
    assert breaker.opens_at is None
