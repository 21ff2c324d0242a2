"""GraphQL federation: plan and execute one operation over a supergraph of subgraphs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trivium_federation.engine import Answer, Engine
    from trivium_federation.errors import SupergraphError

__all__ = ["Answer", "Engine", "SupergraphError"]


def __getattr__(name: str) -> object:
    """Load the engine when it is first used: importing the package costs nothing."""
    if name in ("Answer", "Engine"):
        from trivium_federation import engine

        return getattr(engine, name)
    if name == "SupergraphError":
        from trivium_federation.errors import SupergraphError

        return SupergraphError
    raise AttributeError(name)
