"""The names of subgraphs: people and routers tell them apart by these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from trivium_federation.compose.problems import Place, Problems
from trivium_federation.compose.source import SubgraphSchema


def check_names(subgraphs: Sequence[SubgraphSchema], problems: Problems) -> None:
    """Add INVALID_SUBGRAPH_NAME for empty, reserved and repeated names, NO_QUERIES if there is no subgraph."""
    for name, count in Counter(s.name for s in subgraphs).items():
        if not name.strip() or name == "_":
            problems.error("INVALID_SUBGRAPH_NAME", f"{name!r} cannot be the name of a subgraph", Place(name))
        elif count > 1:
            problems.error("INVALID_SUBGRAPH_NAME", f"{count} subgraphs are called {name!r}", Place(name))
    if not subgraphs:
        problems.error("NO_QUERIES", "there is no subgraph, so there is nothing to ask")
