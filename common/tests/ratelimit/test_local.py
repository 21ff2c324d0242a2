"""The limiter that counts in this process: bounds of memory, floods, and what a verdict says."""

import math
import subprocess
import sys

import pytest

from trivium_common.ratelimit.local import LocalLimiter
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.token_bucket import TokenBucket


class HeldClock:
    def __init__(self) -> None:
        self.now_ns = 5_000_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, seconds: float) -> None:
        self.now_ns += math.ceil(seconds * 1e9)


def make_limiter(*windows, max_keys: int = 1000) -> tuple[LocalLimiter, HeldClock]:
    clock = HeldClock()
    return LocalLimiter(Rule("web/limit", windows), max_keys=max_keys, clock_ns=clock), clock


def test_bucket_lets_a_burst_through_and_then_its_rate():
    limiter, clock = make_limiter(TokenBucket(rate=200, burst=50))
    assert [limiter.take_nowait("ada").remaining for _ in range(50)] == list(range(49, -1, -1))
    refused = limiter.take_nowait("ada")
    assert refused == (False, 50, 0, 0.005, 0.0, 0.25, "web/limit", True)

    clock.advance(1.0)
    assert sum(limiter.take_nowait("ada").allowed for _ in range(500)) == 50
    passed = 0
    for _ in range(1000):
        clock.advance(0.001)
        passed += limiter.take_nowait("ada").allowed
    assert passed == 200


def test_keys_do_not_share_and_a_peek_takes_nothing():
    limiter, _ = make_limiter(TokenBucket(rate=1, burst=1))
    assert limiter.peek_nowait("ada").allowed
    assert limiter.take_nowait("ada").allowed
    assert not limiter.peek_nowait("ada").allowed
    assert limiter.take_nowait("grace").allowed


def test_waiting_as_long_as_a_refusal_says_succeeds_and_a_microsecond_less_does_not():
    limiter, clock = make_limiter(TokenBucket(rate=7, burst=3, period_s=0.9))
    for _ in range(200):
        verdict = limiter.take_nowait("ada")
        if not verdict.allowed:
            clock.now_ns += round(verdict.retry_after_s * 1e9) - 1000
            assert not limiter.peek_nowait("ada").allowed
            clock.now_ns += 1000
            assert limiter.take_nowait("ada").allowed


def test_a_request_that_costs_more_than_the_burst_is_told_that_no_wait_helps():
    limiter, _ = make_limiter(TokenBucket(rate=10, burst=5))
    assert limiter.rule.max_cost == 5
    assert limiter.take_nowait("ada", 6).retry_after_s == math.inf
    assert limiter.take_nowait("ada", 5).allowed


def test_flood_of_keys_stays_bounded_and_does_not_reset_the_key_at_its_limit():
    limiter, clock = make_limiter(TokenBucket(rate=100, burst=100, period_s=3600), max_keys=500)
    while limiter.take_nowait("attacker").allowed:
        pass
    let_through = 0
    for n in range(20_000):
        clock.advance(0.0001)
        limiter.take_nowait(f"flood-{n}")
        let_through += limiter.take_nowait("attacker").allowed
        assert len(limiter) <= 501
    assert let_through == 0
    assert limiter.overflows == 0


def test_flood_reaches_a_key_that_never_calls_again_no_better():
    """The attacker's own key rests during the flood: it is found at its limit afterwards all the same."""
    limiter, _ = make_limiter(TokenBucket(rate=100, burst=100, period_s=3600), max_keys=500)
    while limiter.take_nowait("attacker").allowed:
        pass
    for n in range(20_000):
        limiter.take_nowait(f"flood-{n}")
    assert not limiter.take_nowait("attacker").allowed


def test_when_every_key_is_at_its_limit_new_keys_share_one_allowance():
    limiter, _ = make_limiter(TokenBucket(rate=2, burst=2, period_s=3600), max_keys=100)
    for n in range(100):
        while limiter.take_nowait(f"bot-{n}").allowed:
            pass
    assert sum(limiter.take_nowait(f"new-{n}").allowed for n in range(1000)) == 2
    assert limiter.overflows == 1000
    assert not any(limiter.take_nowait(f"bot-{n}").allowed for n in range(100))


def test_idle_keys_leave_while_others_come():
    limiter, clock = make_limiter(TokenBucket(rate=100, burst=100), max_keys=100_000)
    for n in range(3000):
        limiter.take_nowait(f"idle-{n}")
    for n in range(5000):
        clock.advance(0.001)
        limiter.take_nowait(f"later-{n}")
    assert len(limiter) < 3500


def test_local_limits_load_nothing_of_redis():
    code = "import sys, trivium_common.ratelimit.local; sys.exit('redis' in sys.modules or 'asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("figures", [{"rate": 0, "burst": 1}, {"rate": 1, "burst": 0}])
def test_figures_that_limit_nothing_are_refused(figures):
    with pytest.raises(ValueError):
        TokenBucket(**figures)
