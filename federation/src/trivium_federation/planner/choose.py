"""Takes one way per leaf so that all leaves together need the fewest requests.

A request is one subgraph at one depth; hops that share it cost little more. Choices with equal sets of hops are one
decision, so most operations have nothing to decide; the others are solved greedily and then improved within a bound.
"""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.planner.paths import HOP_COST, HopId, Path

_MAX_EVALUATIONS = 2_000
Hops = frozenset[HopId]


def choose_paths(choices: Sequence[Sequence[Path]]) -> list[Path]:
    """One path of each choice, in the order of `choices`."""
    options = [_distinct(choice) for choice in choices]
    decisions = sorted({tuple(o) for o in options if len(o) > 1}, key=len)
    fixed: Hops = frozenset().union(*(next(iter(o)) for o in options if len(o) == 1))
    taken = _improve(decisions, _take_greedily(decisions, fixed), fixed)
    total = fixed.union(*taken)
    return [_cheapest(o, taken[decisions.index(tuple(o))] if len(o) > 1 else total) for o in options]


def _distinct(choice: Sequence[Path]) -> dict[Hops, Path]:
    """The cheapest path for each set of hops."""
    found: dict[Hops, Path] = {}
    for path in choice:
        if path.hops not in found or path.cost < found[path.hops].cost:
            found[path.hops] = path
    return found


def _take_greedily(decisions: Sequence[tuple[Hops, ...]], fixed: Hops) -> list[Hops]:
    taken: list[Hops] = []
    total = fixed
    for options in decisions:
        best = min(options, key=lambda hops: _cost(total | hops))
        taken.append(best)
        total |= best
    return taken


def _improve(decisions: Sequence[tuple[Hops, ...]], taken: list[Hops], fixed: Hops) -> list[Hops]:
    """Change one decision at a time while that saves something."""
    evaluations = 0
    is_better = True
    while is_better and evaluations < _MAX_EVALUATIONS:
        is_better = False
        for index, options in enumerate(decisions):
            others = fixed.union(*taken[:index], *taken[index + 1 :])
            evaluations += len(options)
            best = min(options, key=lambda hops: _cost(others | hops))
            if _cost(others | best) < _cost(others | taken[index]):
                taken[index] = best
                is_better = True
    return taken


def _cost(hops: Hops) -> int:
    return HOP_COST * len({(graph, depth) for graph, depth, _, _ in hops}) + 10 * len(hops)


def _cheapest(options: dict[Hops, Path], wanted: Hops) -> Path:
    """The path of the wanted set of hops, or the only one."""
    return options[wanted] if wanted in options else next(iter(options.values()))
