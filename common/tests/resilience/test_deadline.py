"""Deadlines shrink on the way down."""

import pytest

from trivium_common.resilience.deadline import (
    current_deadline,
    deadline_scope,
    parse_timeout_ms,
    remaining_s,
)


def test_an_inner_scope_shortens_and_never_extends():
    with deadline_scope(10, clock=lambda: 100.0):
        with deadline_scope(60, clock=lambda: 100.0) as inner:
            assert inner == 110.0
        with deadline_scope(3, clock=lambda: 100.0):
            assert current_deadline() == 103.0
        assert current_deadline() == 110.0
        assert remaining_s(clock=lambda: 104.0) == 6.0
        assert remaining_s(clock=lambda: 200.0) == 0.0
    assert current_deadline() is None
    assert remaining_s() is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"1500", 1.5), (b"999999", 30), (b"-1", 30), (b"1e9", 30), (b"", 30), (b"9" * 400, 30), (b"0", 0.0)],
)
def test_a_timeout_header_is_capped_and_junk_means_the_cap(value, seconds):
    assert parse_timeout_ms(value, cap_s=30) == seconds
