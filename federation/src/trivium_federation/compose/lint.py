"""Warns where the outage of a source that may be missing would take more than its own fields with it."""

from __future__ import annotations

from trivium_federation.compose.merge.model import MergedField, MergedSchema, MergedType
from trivium_federation.compose.merge.state import listed
from trivium_federation.compose.problems import Problems

_ROOTS = ("Query", "Mutation", "Subscription")


def lint_optional_sources(schema: MergedSchema, optional: frozenset[str], problems: Problems) -> None:
    """Add a hint for each non-null field that only optional subgraphs resolve, on a type that others have too."""
    names = {graph: name for graph, name, _ in schema.graphs}
    for merged in schema.types.values():
        if merged.kind != "object":
            continue
        essential = [g for g in merged.graphs if names[g] not in optional]
        if not essential:
            continue
        for item in merged.fields.values():
            sources = _resolvers(merged, item)
            if item.type.non_null and sources and all(names[g] in optional for g in sources):
                who = listed(names[g] for g in sources)
                lost = "the whole answer" if merged.name in _ROOTS else merged.name
                message = f"{merged.name}.{item.name} is {item.type}, so an outage of {who} would null {lost}"
                problems.hint("OPTIONAL_SOURCE_FEEDS_NON_NULL", message, *item.places)


def _resolvers(merged: MergedType, item: MergedField) -> list[str]:
    if not item.rows:
        return merged.graphs
    return [row.graph for row in item.rows if row.graph is not None and not row.is_external]
