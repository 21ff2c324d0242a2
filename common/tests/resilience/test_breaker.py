"""The breaker's state machine under a held clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trivium_common.resilience.breaker import Breaker, BreakerOpen, BreakerPolicy, BreakerState, Outcome


class HeldClock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def make_breaker(**policy) -> tuple[Breaker, HeldClock]:
    clock = HeldClock()
    return Breaker("orders", BreakerPolicy(jitter=0.0, **policy), clock=clock), clock


def call(breaker: Breaker, outcome: Outcome) -> None:
    breaker.record(breaker.admit_nowait(), outcome)


def trip(breaker: Breaker) -> None:
    for _ in range(breaker.policy.failures_to_open):
        call(breaker, Outcome.FAILURE)


def test_three_consecutive_failures_open_it_and_a_success_between_starts_the_count_again():
    breaker, _ = make_breaker()
    for outcome in (Outcome.FAILURE, Outcome.FAILURE, Outcome.SUCCESS, Outcome.FAILURE, Outcome.FAILURE):
        call(breaker, outcome)
    assert breaker.state is BreakerState.CLOSED
    call(breaker, Outcome.FAILURE)
    assert breaker.state is BreakerState.OPEN


def test_open_breaker_admits_exactly_one_probe_when_its_announced_wait_is_over():
    breaker, clock = make_breaker()
    trip(breaker)
    with pytest.raises(BreakerOpen) as refusal:
        breaker.admit_nowait()
    assert refusal.value.retry_after_s == pytest.approx(2.0)

    clock.now_s += refusal.value.retry_after_s
    assert breaker.admit_nowait().is_probe
    for _ in range(500):
        with pytest.raises(BreakerOpen):
            breaker.admit_nowait()


def test_two_successful_probes_close_it_and_the_wait_starts_small_again():
    breaker, clock = make_breaker()
    trip(breaker)
    clock.now_s += 2
    call(breaker, Outcome.SUCCESS)
    assert breaker.state is BreakerState.HALF_OPEN
    call(breaker, Outcome.SUCCESS)
    assert breaker.state is BreakerState.CLOSED
    trip(breaker)
    assert breaker.retry_after_s == pytest.approx(2.0)


def test_wait_grows_2_4_8_16_up_to_the_cap():
    breaker, clock = make_breaker()
    trip(breaker)
    waits = []
    for _ in range(7):
        waits.append(breaker.retry_after_s)
        clock.now_s += breaker.retry_after_s
        call(breaker, Outcome.FAILURE)
    assert waits == pytest.approx([2, 4, 8, 16, 32, 60, 60])


def test_results_of_calls_in_flight_when_it_opened_do_not_extend_the_wait():
    breaker, clock = make_breaker()
    in_flight = [breaker.admit_nowait() for _ in range(200)]
    trip(breaker)
    clock.now_s += 1
    for permit in in_flight:
        breaker.record(permit, Outcome.FAILURE)
    assert breaker.retry_after_s == pytest.approx(1.0)


def test_a_late_success_of_the_closed_state_does_not_close_an_open_breaker():
    breaker, _ = make_breaker(successes_to_close=1)
    late = breaker.admit_nowait()
    trip(breaker)
    breaker.record(late, Outcome.SUCCESS)
    assert breaker.state is BreakerState.OPEN


def test_a_cancelled_probe_frees_its_place_and_proves_nothing():
    breaker, clock = make_breaker()
    trip(breaker)
    clock.now_s += 2
    call(breaker, Outcome.NEUTRAL)
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.admit_nowait().is_probe


def test_listeners_hear_each_transition_once():
    breaker, clock = make_breaker(successes_to_close=1)
    heard = []
    breaker.listen(lambda _, old, new: heard.append(f"{old}>{new}"))
    trip(breaker)
    clock.now_s += 2
    call(breaker, Outcome.SUCCESS)
    assert heard == ["closed>open", "open>half_open", "half_open>closed"]


def test_jitter_only_shortens_and_the_announced_wait_is_the_kept_one():
    clock = HeldClock()
    breaker = Breaker("orders", BreakerPolicy(jitter=0.5), clock=clock, rng=lambda: 1.0)
    trip(breaker)
    assert breaker.retry_after_s == pytest.approx(1.0)
    clock.now_s += 1.0
    assert breaker.admit_nowait().is_probe


@given(st.lists(st.tuples(st.sampled_from([*Outcome, "wait", "hold"]), st.floats(0, 70)), max_size=80))
def test_whatever_happens_half_open_has_at_most_one_probe_out(events):
    """A random history never lets a second probe out, and an over-due open breaker always admits one."""
    breaker, clock = make_breaker()
    held = []
    for event, seconds in events:
        if event == "wait":
            clock.now_s += seconds
            continue
        try:
            permit = breaker.admit_nowait()
        except BreakerOpen as refusal:
            assert refusal.retry_after_s > 0
            assert breaker.state is not BreakerState.CLOSED
            continue
        if permit.is_probe:
            assert breaker.state is BreakerState.HALF_OPEN
            with pytest.raises(BreakerOpen):
                breaker.admit_nowait()
        if event == "hold":
            held.append(permit)
        else:
            breaker.record(permit, event)
    for permit in held:
        breaker.record(permit, Outcome.NEUTRAL)
    clock.now_s += 61
    assert breaker.admit_nowait()


@pytest.mark.parametrize(
    "wrong",
    [{"failures_to_open": 0}, {"base_wait_s": 0}, {"base_wait_s": 90}, {"factor": 0.5}, {"jitter": 1.0}],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        BreakerPolicy(**wrong)
