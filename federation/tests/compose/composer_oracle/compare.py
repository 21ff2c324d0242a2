"""Says whether two compositions of one set agree: both refuse, or both give clients the same schema and planners the same tables."""

from __future__ import annotations

from dataclasses import replace

from graphql import lexicographic_sort_schema, parse, print_schema

from composer_oracle.reference import Reference
from trivium_federation.compose import Composition
from trivium_federation.supergraph.api import build_api_schema
from trivium_federation.supergraph.load import load_supergraph
from trivium_federation.supergraph.model import JoinField, JoinType, Key

# Sets that we refuse and the reference accepts, or the other way, on purpose: our message's part → why.
EXPLAINED = {
    "is known only afterwards": "a non-null field of an interface object with unresolvable keys, asked of one type only: to ask"
    " it of all values could null values of other types",
    "no @key of": "a field with @requires in a subgraph whose keys are not resolvable: nobody can come back with the values",
}


def find_difference(ours: Composition, theirs: Reference) -> str:
    """The difference in words, or nothing."""
    if ours.is_composed is not (theirs.sdl is not None):
        if any(part in error.message for part in EXPLAINED for error in ours.errors):
            return ""
        said = "\n".join(map(str, ours.errors)) or "composes"
        return f"ours: {said}\ntheirs: {theirs.errors or 'composes'}"
    if ours.supergraph_sdl is None or theirs.sdl is None:
        return ""
    mine, other = _api(ours.supergraph_sdl), _api(theirs.sdl)
    if mine != other:
        return f"clients see another schema\nours:\n{mine}\ntheirs:\n{other}"
    if (one := _tables(ours.supergraph_sdl)) != (two := _tables(theirs.sdl)):
        names = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
        return "\n".join(f"{n}\n  ours   {one.get(n)}\n  theirs {two.get(n)}" for n in sorted(names))
    return ""


def _api(sdl: str) -> str:
    return print_schema(lexicographic_sort_schema(build_api_schema(parse(sdl))))


def _tables(sdl: str) -> dict[str, object]:
    """What the planner reads: who has which type and field, and how. Field sets without regard to order and spaces."""
    found: dict[str, object] = {}
    for info in load_supergraph(parse(sdl)).types.values():
        if "__" in info.name:
            continue
        fields = {
            name: {graph: _row(row) for graph, row in item.joins.items()}
            for name, item in info.fields.items()
        }
        joins = {graph: _join(joined) for graph, joined in info.joins.items()}
        found[info.name] = info.kind, joins, fields, info.interfaces, info.members, info.enum_values
    return found


def _join(joined: JoinType) -> tuple[object, bool]:
    keys = {replace(key, fields=_unordered(key.fields)) for key in joined.keys}
    return frozenset[Key](keys), joined.is_interface_object


def _row(row: JoinField) -> JoinField:
    return replace(
        row,
        requires=_unordered(row.requires) if row.requires else None,
        provides=_unordered(row.provides) if row.provides else None,
        # Without a label, what counts is that the other subgraph's row is gone.
        override_from=row.override_from if row.override_label else None,
    )


def _unordered(text: str) -> str:
    for sign in "{}():,":
        text = text.replace(sign, f" {sign} ")
    return " ".join(sorted(text.split()))
