"""Samples of metrics: counted in a worker, sent over the control channel, added up in the supervisor.

A sample is a number, or for a histogram a list: one count per bucket, the count above the last, the sum.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Any

from trivium_edge.telemetry.catalogue import BUCKETS_S, OF_WORKERS, Metric

Labels = tuple[str, ...]
Sample = float | list[float]
_SUM = len(BUCKETS_S) + 1


def new_histogram() -> list[float]:
    """An empty histogram."""
    return [0] * (_SUM + 1)


def observe(histogram: list[float], value: float) -> None:
    """Count one value."""
    histogram[bisect_left(BUCKETS_S, value)] += 1
    histogram[_SUM] += value


class Samples:
    """Samples by metric name and labels."""

    def __init__(self) -> None:
        self.by_metric: dict[str, dict[Labels, Sample]] = {}

    def set(self, metric: Metric, labels: Labels, value: Sample) -> None:
        """Put one sample."""
        self.by_metric.setdefault(metric.name, {})[labels] = value

    def pack(self) -> dict[str, list[list[Any]]]:
        """The samples as JSON types."""
        return {
            name: [[list(labels), value] for labels, value in samples.items()]
            for name, samples in self.by_metric.items()
        }

    @classmethod
    def unpack(cls, packed: Mapping[str, Iterable[Any]]) -> "Samples":
        """The samples that `pack` has packed."""
        samples = cls()
        samples.by_metric = {
            name: {tuple(labels): value for labels, value in entries} for name, entries in packed.items()
        }
        return samples

    def add(self, other: "Samples", metrics: Iterable[Metric] = OF_WORKERS) -> None:
        """Add the samples of another worker: counts and sums are added, or the largest value is kept."""
        for metric in metrics:
            theirs = other.by_metric.get(metric.name)
            if theirs:
                ours = self.by_metric.setdefault(metric.name, {})
                for labels, value in theirs.items():
                    ours[labels] = _add(metric, ours.get(labels), value)


def _add(metric: Metric, ours: Sample | None, theirs: Sample) -> Sample:
    if ours is None:
        return list(theirs) if isinstance(theirs, list) else theirs
    if isinstance(ours, list) and isinstance(theirs, list):
        return [a + b for a, b in zip(ours, theirs, strict=True)]
    if isinstance(ours, list) or isinstance(theirs, list):
        raise TypeError(f"{metric.name}: a histogram and a number cannot be added")
    return max(ours, theirs) if metric.is_largest else ours + theirs
