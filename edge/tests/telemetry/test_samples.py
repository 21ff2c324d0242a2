"""Samples of many workers, added up exactly."""

import json

import pytest

from trivium_edge.supervisor.metrics import render
from trivium_edge.telemetry.catalogue import BREAKER_STATE, BUCKETS_S, DURATION, IN_FLIGHT, REQUESTS
from trivium_edge.telemetry.samples import Samples, new_histogram, observe

LABELS = ("web", "GET", "200", "web")


def worker(requests: int, state: int, *durations: float) -> Samples:
    samples = Samples()
    samples.set(REQUESTS, LABELS, requests)
    samples.set(BREAKER_STATE, ("web", "n"), state)
    samples.set(IN_FLIGHT, (), 2)
    histogram = new_histogram()
    for duration in durations:
        observe(histogram, duration)
    samples.set(DURATION, ("web",), histogram)
    return Samples.unpack(json.loads(json.dumps(samples.pack())))


def test_counts_and_sums_are_added_and_the_worst_breaker_is_shown() -> None:
    total = Samples()
    total.add(worker(3, 0, 0.001, 0.2))
    total.add(worker(4, 2, 30.0))
    total.add(worker(5, 1))

    lines = render(total).decode().splitlines()
    assert 'trivium_requests_total{consumer_kind="web",method="GET",route="web",status="200"} 12.0' in lines
    assert 'trivium_breaker_state{node="n",upstream="web"} 2.0' in lines
    assert "trivium_in_flight 6.0" in lines
    assert 'trivium_request_duration_seconds_bucket{le="0.005",route="web"} 1.0' in lines
    assert 'trivium_request_duration_seconds_bucket{le="0.25",route="web"} 2.0' in lines
    assert 'trivium_request_duration_seconds_bucket{le="10.0",route="web"} 2.0' in lines
    assert 'trivium_request_duration_seconds_bucket{le="+Inf",route="web"} 3.0' in lines
    assert 'trivium_request_duration_seconds_sum{route="web"} 30.201' in lines


def test_adding_changes_only_the_total() -> None:
    one, total = worker(3, 0, 0.1), Samples()
    total.add(one)
    total.add(one)

    assert one.by_metric[REQUESTS.name][LABELS] == 3
    assert total.by_metric[REQUESTS.name][LABELS] == 6


@pytest.mark.parametrize("bound", BUCKETS_S)
def test_a_bucket_includes_its_bound(bound: float) -> None:
    """Prometheus' `le` means less or equal."""
    histogram = new_histogram()
    observe(histogram, bound)

    assert histogram[BUCKETS_S.index(bound)] == 1
