"""Composition: subgraph schemas (Apollo Federation 1 and 2) into one supergraph, or every reason why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium_federation.compose.composition import Composition, compose
    from trivium_federation.compose.problems import Problem
    from trivium_federation.compose.source import SubgraphSchema

__all__ = ["Composition", "Problem", "SubgraphSchema", "compose"]


def __getattr__(name: str) -> object:
    """Load composition when it is first used: importing the package costs nothing."""
    if name in ("Composition", "compose"):
        from trivium_federation.compose import composition

        return getattr(composition, name)
    if name == "Problem":
        from trivium_federation.compose.problems import Problem

        return Problem
    if name == "SubgraphSchema":
        from trivium_federation.compose.source import SubgraphSchema

        return SubgraphSchema
    raise AttributeError(name)
