"""/metrics: the samples of all workers added up, and the supervisor's own, in Prometheus' text format."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from trivium_edge.supervisor.http import answer, answer_json
from trivium_edge.supervisor.pool import WorkerPool
from trivium_edge.supervisor.state import EdgeState
from trivium_edge.telemetry.catalogue import (
    BUCKETS_S,
    CONFIG_GENERATION,
    OF_SUPERVISOR,
    OF_WORKERS,
    RELOAD_FAILURES,
    WORKER_RESTARTS,
    WORKERS,
    Metric,
)
from trivium_edge.telemetry.samples import Sample, Samples

_BOUNDS = [*(str(bound) for bound in BUCKETS_S), "+Inf"]


class MetricsApp:
    """The ASGI app of the metrics port."""

    def __init__(self, pool: WorkerPool, state: EdgeState) -> None:
        self._pool = pool
        self._state = state

    async def __call__(self, scope: Mapping[str, Any], _receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["path"] != "/metrics":
            await answer_json(send, 404, {"status": "not found", "paths": ["/metrics"]})
            return
        await answer(send, 200, render(await self.collect()), CONTENT_TYPE_LATEST.encode())

    async def collect(self) -> Samples:
        """All samples as of now."""
        samples = await self._pool.collect_samples()
        samples.set(WORKERS, (), len(self._pool.serving))
        samples.set(WORKER_RESTARTS, (), self._pool.restarts)
        generation = self._pool.snapshot.generation if self._pool.snapshot is not None else 0
        samples.set(CONFIG_GENERATION, (), generation)
        samples.set(RELOAD_FAILURES, (), self._state.reload_failures)
        return samples


class _SamplesCollector(Collector):
    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Family]:
        for metric in (*OF_WORKERS, *OF_SUPERVISOR):
            yield _family(metric, self._samples.by_metric.get(metric.name, {}).items())


def render(samples: Samples) -> bytes:
    """The samples in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SamplesCollector(samples))
    return generate_latest(registry)


def _family(metric: Metric, samples: Iterable[tuple[tuple[str, ...], Sample]]) -> Family:
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, counts in samples:
            if isinstance(counts, list):
                histogram.add_metric(labels, _cumulate(counts[:-1]), counts[-1])
        return histogram
    family: CounterMetricFamily | GaugeMetricFamily = (
        CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
        if metric.kind == "counter"
        else GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    )
    for labels, value in samples:
        if not isinstance(value, list):
            family.add_metric(labels, value)
    return family


def _cumulate(counts: list[float]) -> list[tuple[str, float]]:
    total = 0.0
    buckets = []
    for bound, count in zip(_BOUNDS, counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
