"""The merged schema as a whole: something to ask, interfaces kept, nothing hidden that clients would meet."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.compose.check_auth import check_transitive_auth
from trivium_federation.compose.check_hidden import check_hidden
from trivium_federation.compose.merge.model import MergedSchema, MergedType
from trivium_federation.compose.merge.state import listed
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Source


def check_merged(schema: MergedSchema, sources: Sequence[Source], problems: Problems) -> None:
    """Add everything that is wrong only now that the subgraphs are together."""
    query = schema.types.get("Query")
    if query is None or not query.fields:
        problems.error("NO_QUERIES", "no subgraph has a field on Query")
    for merged in schema.types.values():
        if merged.kind in ("object", "interface"):
            _check_implements(schema, merged, problems)
    _check_interface_keys(schema, sources, problems)
    check_hidden(schema, problems)
    check_transitive_auth(schema, sources, problems)


def _check_implements(schema: MergedSchema, merged: MergedType, problems: Problems) -> None:
    names = dict(zip((g for g, _, _ in schema.graphs), (n for _, n, _ in schema.graphs), strict=True))
    for name in merged.interfaces:
        interface = schema.types.get(name)
        if interface is None or interface.kind != "interface":
            continue
        for field_name, item in interface.fields.items():
            if field_name in merged.fields:
                continue
            owners = listed(names[row.graph] for row in item.rows if row.graph) or listed(
                names[g] for g in interface.graphs
            )
            message = (
                f"{name}.{field_name} (in {owners}) is missing in {merged.name}, which implements {name}"
            )
            problems.error("INTERFACE_FIELD_NO_IMPLEM", message, *merged.places[:1], *item.places[:1])


def _check_interface_keys(schema: MergedSchema, sources: Sequence[Source], problems: Problems) -> None:
    """Look-ups by an interface's key must find the true type: its subgraph has to know all implementations.

    And only one who leaves the implementations alone may use @interfaceObject.
    """
    for merged in schema.types.values():
        if merged.kind != "interface":
            continue
        concrete = {
            t.name: t for t in schema.types.values() if t.kind == "object" and merged.name in t.interfaces
        }
        objects = [s for s in sources if merged.name in s.types and s.types[merged.name].is_interface_object]
        for source in sources:
            info = source.types.get(merged.name)
            if info is None or info.kind != "interface" or not info.has("key"):
                continue
            missing = [
                name for name in concrete if name not in {t.name for t in source.possible_types(merged.name)}
            ]
            if missing:
                message = f"{merged.name} has a @key here, but {listed(missing)}, which implements it elsewhere, is not declared"
                problems.error(
                    "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE", message, source.place(info.nodes[0])
                )
        for source in objects:
            known = [name for name in concrete if name in source.types]
            if known:
                place = source.place(source.types[known[0]].nodes[0])
                message = f"{merged.name} is an @interfaceObject here, but {listed(known)}, which implements it, is declared too"
                problems.error("INTERFACE_OBJECT_USAGE_ERROR", message, place)
        if objects and len(objects) == len(merged.graphs):
            message = f"{merged.name} is an @interfaceObject in {listed(s.name for s in objects)}, but no subgraph has the interface"
            problems.error("INTERFACE_OBJECT_USAGE_ERROR", message, *merged.places)
