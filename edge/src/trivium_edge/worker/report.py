"""What a worker reports of itself: its state for `status`, its figures for `metrics`."""

from typing import TYPE_CHECKING, Any

from trivium_common.resilience.breaker import BreakerState
from trivium_edge.telemetry.catalogue import (
    BREAKER_STATE,
    CONNECTIONS,
    IN_FLIGHT,
    ISSUER_READY,
    KEY_FETCHES,
    UPSTREAM_CONNECTIONS,
    UPSTREAM_HEALTHY,
)
from trivium_edge.telemetry.samples import Samples

if TYPE_CHECKING:
    from trivium_edge.worker.worker import Worker

_STATES = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


def describe_status(worker: "Worker") -> dict[str, Any]:
    """Whether the worker serves, with which generation, and how its issuers and upstreams fare."""
    proxy, compiler, issuers = worker.proxy, worker.compiler, worker.issuers
    return {
        "worker": worker.index,
        "serving": proxy is not None,
        "generation": worker.tables.table.generation if worker.tables is not None else 0,
        "in_flight": proxy.in_flight if proxy is not None else 0,
        "connections": proxy.open_connections if proxy is not None else 0,
        "issuers": {
            name: {"ready": source.is_ready, "problem": source.problem}
            for name, source in (issuers.sources if issuers is not None else {}).items()
        },
        "upstreams": {
            name: upstream.snapshot()
            for name, upstream in (compiler.upstreams if compiler is not None else {}).items()
        },
    }


def collect_samples(worker: "Worker") -> Samples:
    """Counters of the recorder, and the gauges as they are now."""
    samples = worker.recorder.samples() if worker.recorder is not None else Samples()
    if worker.proxy is not None:
        samples.set(IN_FLIGHT, (), worker.proxy.in_flight)
        samples.set(CONNECTIONS, (), worker.proxy.open_connections)
    for name, source in (worker.issuers.sources if worker.issuers is not None else {}).items():
        samples.set(KEY_FETCHES, (name,), source.fetches)
        samples.set(ISSUER_READY, (name,), int(source.is_ready))
    for name, upstream in (worker.compiler.upstreams if worker.compiler is not None else {}).items():
        for node in upstream.nodes:
            labels = (name, node.url)
            state = _STATES[node.breaker.state if node.breaker is not None else BreakerState.CLOSED]
            samples.set(BREAKER_STATE, labels, state)
            samples.set(UPSTREAM_HEALTHY, labels, int(state != _STATES[BreakerState.OPEN]))
            samples.set(UPSTREAM_CONNECTIONS, labels, node.pool.size)
    return samples
