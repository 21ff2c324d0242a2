"""One slow upstream takes its own slots and no others."""

import pytest

from trivium_common.resilience.bulkhead import Bulkhead, BulkheadFull


def test_a_full_bulkhead_refuses_at_once_and_a_released_slot_serves_again() -> None:
    bulkhead = Bulkhead("orders", 2)
    with bulkhead:
        with bulkhead:
            assert bulkhead.in_flight == 2
            with pytest.raises(BulkheadFull, match="orders"), bulkhead:
                pass
        with bulkhead:
            assert bulkhead.in_flight == 2

    assert bulkhead.in_flight == 0


def test_a_failed_call_gives_its_slot_back() -> None:
    bulkhead = Bulkhead("orders", 1)
    with pytest.raises(ZeroDivisionError), bulkhead:
        raise ZeroDivisionError

    assert bulkhead.in_flight == 0
