"""A position: a place of the operation, or of a requirement, with every cheapest path that arrives there."""

from __future__ import annotations

from collections.abc import Iterable

from trivium_federation.planner.graph import Node
from trivium_federation.planner.paths import Path, Place


class Choice(list[Path]):
    """The ways to one leaf, cheapest first. Exactly one of them is taken."""

    __slots__ = ()


class Position:
    """A place of the operation (or of a requirement) with the paths that arrive there."""

    def __init__(
        self, place: Place, type_name: str, arrivals: Iterable[Path], nesting: int, *, is_closed: bool = False
    ) -> None:
        self.place = place
        self.type = type_name
        self.arrivals = cheapest_per_node(arrivals)
        self.nesting = nesting
        # A closed position takes no hops: only what its arrivals resolve themselves.
        self.reached: list[Path] | None = list(self.arrivals) if is_closed else None
        self.is_closed = is_closed


def cheapest_per_node(paths: Iterable[Path]) -> list[Path]:
    """The cheapest path to each node, in order of cost; earlier paths win ties."""
    best: dict[Node, Path] = {}
    for path in paths:
        node = path.at()
        if node not in best or path.cost < best[node].cost:
            best[node] = path
    return sorted(best.values(), key=lambda p: p.cost)
