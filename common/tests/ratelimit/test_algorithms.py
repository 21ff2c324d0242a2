"""Every algorithm, in this process and in a real Valkey, against a plain model of what it promises."""

import math
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trivium_common.ratelimit.fixed_window import FixedWindow
from trivium_common.ratelimit.leaky_bucket import LeakyBucket
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.sliding_counter import SlidingCounter
from trivium_common.ratelimit.sliding_log import SlidingLog
from trivium_common.ratelimit.token_bucket import TokenBucket

START_US = 1_763_000_000_000_000
US = 1_000_000


class FixedModel:
    """Walks through every period one by one; what is above the limit is paid by the periods after."""

    def __init__(self, window: FixedWindow) -> None:
        self.limit, self.debt = window.limit, window.max_debt
        self.period = round(window.period_s * US)
        self.at, self.count = START_US // self.period, 0

    def room(self, now_us: int) -> int:
        while self.at < now_us // self.period:
            self.at += 1
            self.count = max(0, self.count - self.limit)
        return self.limit - self.count

    def add(self, now_us: int, cost: int) -> None:
        self.count += cost

    def add_debt(self, now_us: int, extra: int) -> None:
        self.count = min(self.count + extra, self.limit + self.debt)


class LogModel:
    """Remembers every unit for ever and counts those of the last period."""

    def __init__(self, window: SlidingLog) -> None:
        self.limit, self.debt, self.period = window.limit, window.max_debt, round(window.period_s * US)
        self.times: list[int] = []

    def room(self, now_us: int) -> int:
        return self.limit - sum(time > now_us - self.period for time in self.times)

    def add(self, now_us: int, cost: int) -> None:
        self.times += [now_us] * cost

    def add_debt(self, now_us: int, extra: int) -> None:
        self.add(now_us, max(0, min(extra, self.room(now_us) + self.debt)))


class CounterModel:
    """Counts by period; a unit may pass while current + previous * share still in view is below the limit."""

    def __init__(self, window: SlidingCounter) -> None:
        self.limit, self.debt, self.period = window.limit, window.max_debt, round(window.period_s * US)
        self.counts: dict[int, int] = {}

    def room(self, now_us: int) -> int:
        at, elapsed = divmod(now_us, self.period)
        used = self.counts.get(at, 0) + self.counts.get(at - 1, 0) * (1 - Fraction(elapsed, self.period))
        return max(0, math.ceil(self.limit - used))

    def add(self, now_us: int, cost: int) -> None:
        at = now_us // self.period
        self.counts[at] = self.counts.get(at, 0) + cost

    def add_debt(self, now_us: int, extra: int) -> None:
        at = now_us // self.period
        self.counts[at] = min(self.counts.get(at, 0) + extra, self.limit + self.debt)


class BucketModel:
    """Tokens as a fraction, refilled over the time since the last look."""

    def __init__(self, window: TokenBucket) -> None:
        self.rate = Fraction(str(window.rate)) / (Fraction(str(window.period_s)) * US)
        self.burst, self.debt = window.burst, window.max_debt
        self.tokens, self.at = Fraction(window.burst), START_US

    def room(self, now_us: int) -> int:
        self.tokens = min(Fraction(self.burst), self.tokens + (now_us - self.at) * self.rate)
        self.at = now_us
        return math.floor(self.tokens)

    def add(self, now_us: int, cost: int) -> None:
        self.tokens -= cost

    def add_debt(self, now_us: int, extra: int) -> None:
        self.room(now_us)
        self.tokens = max(self.tokens - extra, Fraction(-self.debt))


class QueueModel:
    """A queue with one server: when the last one in it will have left."""

    def __init__(self, window: LeakyBucket) -> None:
        self.each = Fraction(str(window.period_s)) * US / Fraction(str(window.rate))
        self.places, self.debt = window.queue + 1, window.max_debt
        self.free_at = Fraction(START_US)

    def delay_us(self, now_us: int) -> int:
        return math.ceil(max(Fraction(0), self.free_at - now_us))

    def room(self, now_us: int) -> int:
        return math.floor(self.places - max(Fraction(0), self.free_at - now_us) / self.each)

    def add(self, now_us: int, cost: int) -> None:
        self.free_at = max(self.free_at, Fraction(now_us)) + cost * self.each

    def add_debt(self, now_us: int, extra: int) -> None:
        self.add(now_us, extra)
        self.free_at = min(self.free_at, now_us + (self.places + self.debt) * self.each)


MODELS = {
    FixedWindow: FixedModel,
    SlidingLog: LogModel,
    SlidingCounter: CounterModel,
    TokenBucket: BucketModel,
    LeakyBucket: QueueModel,
}
WINDOWS = [
    FixedWindow(5, 1),
    FixedWindow(3, 0.9, max_debt=10),
    SlidingLog(5, 1),
    SlidingLog(2, 0.7, max_debt=7),
    SlidingCounter(5, 1),
    SlidingCounter(3, 0.007, max_debt=4),
    SlidingCounter(1_000_000, 86_400),
    TokenBucket(rate=5, burst=5),
    TokenBucket(rate=7, burst=3, period_s=0.9, max_debt=11),
    TokenBucket(rate=0.3, burst=2),
    TokenBucket(rate=1_000_007, burst=1_000_000, period_s=86_400),
    LeakyBucket(rate=5, queue=4),
    LeakyBucket(rate=7, queue=0, period_s=0.9),
    LeakyBucket(rate=3, queue=5, max_debt=6),
]
several = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def horizon_us(window) -> int:
    return min(window.horizon_us, 5 * US)


def steps_for(*windows):
    """Steps whose times linger, creep, jump to a boundary or leave everything behind."""
    longest = max(map(horizon_us, windows))
    gaps = st.one_of(
        st.just(0),
        st.integers(1, 1000),
        st.integers(0, longest),
        st.sampled_from([longest, longest // 2, longest - 1, longest + 1]),
    )
    smallest = min(window.limit for window in windows)
    costs = st.one_of(st.just(1), st.integers(1, min(smallest, 6) + 1), st.just(smallest))
    what = st.sampled_from(["take", "take", "take", "charge", "peek"])
    offset = st.integers(0, longest)
    return st.builds(timed, offset, st.lists(st.tuples(gaps, what, costs), max_size=40))


def timed(offset, steps):
    now_us, out = START_US + offset, []
    for gap, what, cost in steps:
        now_us += gap
        out.append((now_us, what, cost))
    return out


def expect(windows, steps):
    """(allowed, delay) of every take and peek, by the models."""
    models = [MODELS[type(window)](window) for window in windows]
    answers = []
    for now_us, what, cost in steps:
        if what == "charge":
            for model in models:
                model.room(now_us)
                model.add_debt(now_us, cost)
            continue
        allowed = all(model.room(now_us) >= cost for model in models)
        delays = [model.delay_us(now_us) for model in models if isinstance(model, QueueModel)]
        answers.append((allowed, max(delays, default=0) if allowed else 0))
        if allowed and what == "take":
            for model in models:
                model.add(now_us, cost)
    return answers


def as_answers(verdicts):
    return [(verdict.allowed, round(verdict.delay_s * 1e6)) for verdict in verdicts]


@pytest.mark.parametrize("window", WINDOWS, ids=repr)
def test_lets_through_and_delays_what_the_plain_model_does(form, window):
    @several
    @given(steps_for(window))
    def check(steps):
        assert as_answers(form.play(Rule("r", (window,)), steps)) == expect([window], steps)

    check()


@pytest.mark.parametrize(
    "windows",
    [
        (FixedWindow(3, 1), FixedWindow(10, 4)),
        (SlidingLog(3, 1), TokenBucket(rate=2, burst=5, max_debt=5)),
        (SlidingLog(3, 1), SlidingLog(5, 3), SlidingCounter(9, 5)),
        (LeakyBucket(rate=5, queue=3), FixedWindow(6, 2), LeakyBucket(rate=8, queue=9)),
    ],
    ids=repr,
)
def test_several_windows_are_charged_all_together_or_not_at_all(form, windows):
    @several
    @given(steps_for(*windows))
    def check(steps):
        assert as_answers(form.play(Rule("r", windows), steps)) == expect(windows, steps)

    check()


@pytest.mark.parametrize("window", WINDOWS, ids=repr)
def test_waiting_as_long_as_told_succeeds_and_any_less_does_not(form, window):
    """`retry_after_s` is exact, `remaining` can be had, and one more cannot."""

    @several
    @given(steps_for(window), st.integers(1, min(window.limit, 7)))
    def check(steps, cost):
        rule = Rule("r", (window,))
        now_us = steps[-1][0] if steps else START_US
        verdict = form.play(rule, [*steps, (now_us, "peek", cost)])[-1]
        if verdict.allowed:
            assert verdict.retry_after_s == 0
        else:
            wait_us = round(verdict.retry_after_s * 1e6)
            asked = [*steps, (now_us + wait_us - 1, "peek", cost), (now_us + wait_us, "peek", cost)]
            assert [v.allowed for v in form.play(rule, asked)[-2:]] == [False, True]
        assert 0 <= verdict.remaining <= verdict.limit
        left = verdict.remaining + (cost if verdict.allowed else 0)
        more = [*steps, (now_us, "peek", max(1, left)), (now_us, "peek", left + 1)]
        assert [v.allowed for v in form.play(rule, more)[-2:]] == [left >= 1, False]
        free_us = now_us + round(verdict.reset_after_s * 1e6)
        taken = [(now_us, "take", cost)] if verdict.allowed else []
        assert form.play(rule, [*steps, *taken, (free_us, "peek", window.limit)])[-1].allowed

    check()


@pytest.mark.parametrize(
    "windows",
    [*((window,) for window in WINDOWS), (SlidingLog(3, 1), TokenBucket(rate=2, burst=5))],
    ids=repr,
)
def test_valkey_and_this_process_agree_in_every_figure(local_form, shared_form, windows):
    @several
    @given(steps_for(*windows), st.integers(-2 * US, 2 * US))
    def check(steps, skew_us):
        """Also when the clock jumps at some point, as on a failover to a server with another one."""
        half = len(steps) // 2
        steps = steps[:half] + [(now_us + skew_us, what, cost) for now_us, what, cost in steps[half:]]
        rule = Rule("r", windows)
        assert shared_form.play(rule, steps) == local_form.play(rule, steps)

    check()


@pytest.mark.parametrize("window", [w for w in WINDOWS if w.horizon_us < 10 * US], ids=repr)
def test_a_clock_that_is_set_back_neither_resets_a_limit_nor_prolongs_it(form, window):
    full = [(START_US, "take", 1)] * window.limit
    back_us = START_US - 3600 * US
    verdicts = form.play(
        Rule("r", (window,)),
        [*full, (back_us, "take", 1), (back_us + window.horizon_us, "take", window.limit)],
    )
    assert all(verdict.allowed for verdict in verdicts[: window.limit])
    assert not verdicts[-2].allowed
    assert verdicts[-1].allowed


def test_twice_the_limit_passes_around_a_fixed_window_s_boundary_and_not_around_a_sliding_one(form):
    boundary_us = START_US // (60 * US) * 60 * US
    steps = [(boundary_us - 1000, "take", 1)] * 100 + [(boundary_us + 1000, "take", 1)] * 100
    passed = {
        window.kind: sum(verdict.allowed for verdict in form.play(Rule("r", (window,)), steps))
        for window in (FixedWindow(100, 60), SlidingLog(100, 60), SlidingCounter(100, 60))
    }
    assert passed == {"fixed_window": 200, "sliding_log": 100, "sliding_counter": 101}


def test_a_query_of_a_thousand_aliases_costs_a_thousand(form):
    """One before it is forwarded, 999 when its cost is known; the debt is paid before the next one passes."""
    bucket = TokenBucket(rate=10, burst=100, max_debt=900)
    steps = [(START_US, "take", 1), (START_US, "charge", 999), (START_US, "take", 1)]
    verdict = form.play(Rule("r", (bucket,)), steps)[-1]
    assert not verdict.allowed
    assert verdict.retry_after_s == pytest.approx(90.1)


def test_debt_is_bounded(form):
    bucket = TokenBucket(rate=10, burst=100, max_debt=50)
    steps = [*[(START_US, "charge", 1000)] * 5, (START_US, "take", 1)]
    assert form.play(Rule("r", (bucket,)), steps)[-1].retry_after_s == pytest.approx(5.1)


def test_leaky_bucket_lets_requests_out_evenly(form):
    steps = [(START_US, "take", 1)] * 12
    verdicts = form.play(Rule("r", (LeakyBucket(rate=10, queue=9),)), steps)
    assert [verdict.delay_s for verdict in verdicts if verdict.allowed] == [n / 10 for n in range(10)]
    assert [verdict.retry_after_s for verdict in verdicts[10:]] == [0.1, 0.1]
