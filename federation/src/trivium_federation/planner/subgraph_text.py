"""Prints what a fetch asks for as GraphQL, and works around types that one answer could not hold under one name."""

from __future__ import annotations

from collections.abc import Iterator

from trivium_federation.operation.selection import TYPENAME
from trivium_federation.planner.fetches import Output
from trivium_federation.planner.plan import AnswerShape, Rename
from trivium_federation.supergraph.model import TypeRef

# Asked for where nothing else is wanted of a value; never read, since an interface object's type name is not the truth.
_EXISTENCE = f"_exists:{TYPENAME}"


def print_output(output: Output) -> tuple[str, AnswerShape | None]:
    """The selection `{...}` of an output, and the renames that its answer needs."""
    parts: list[str] = [TYPENAME] if output.wants_typename else []
    renames: list[Rename] = []
    children: dict[str, AnswerShape] = {}
    names: dict[str, Output] = {}
    for concrete, child in _groups(output):
        texts: list[str] = []
        for wanted in child.fields.values():
            alias = _alias(wanted, names)
            if alias != wanted.key:
                renames.append(Rename(alias, wanted.key))
            text, nested = _field(wanted, alias)
            texts.append(text)
            if nested is not None:
                children[wanted.key] = _merged(children.get(wanted.key), nested)
        if concrete is None:
            parts += texts
        else:
            parts.append(f"...on {concrete}{{{' '.join(texts) or _EXISTENCE}}}")
    shape = AnswerShape(tuple(renames), children) if renames or children else None
    return "{" + (" ".join(parts) or _EXISTENCE) + "}", shape


def _groups(output: Output) -> Iterator[tuple[str | None, Output]]:
    """The fields for all values, then those of each fragment; a fragment never nests another."""
    yield None, output
    yield from output.fragments.items()


def _field(output: Output, alias: str) -> tuple[str, AnswerShape | None]:
    prefix = "" if alias == output.name else f"{alias}:"
    text = f"{prefix}{output.name}{output.arguments}"
    if not output.is_composite:
        return text, None
    nested, shape = print_output(output)
    return text + nested, shape


def _alias(wanted: Output, names: dict[str, Output]) -> str:
    """The name to ask a field by: its key, unless another type's field under that name has another shape."""
    alias, number = wanted.key, 0
    while alias in names and not _are_mergeable(names[alias], wanted):
        number += 1
        alias = f"_{number}c_{wanted.key}"
    names.setdefault(alias, wanted)
    return alias


def _are_mergeable(one: Output, other: Output) -> bool:
    """GraphQL's SameResponseShape, section 5.3.2."""
    if one is other:
        return True
    if one.type is None or other.type is None or _wrappers(one.type) != _wrappers(other.type):
        return False
    if not one.is_composite or not other.is_composite:
        return one.type.name == other.type.name
    mine = _all_fields(one)
    return all(
        _are_mergeable(known, wanted)
        for key, wanteds in _all_fields(other).items()
        for wanted in wanteds
        for known in mine.get(key, ())
    )


def _all_fields(output: Output) -> dict[str, list[Output]]:
    found: dict[str, list[Output]] = {}
    for _, group in _groups(output):
        for key, wanted in group.fields.items():
            found.setdefault(key, []).append(wanted)
    return found


def _wrappers(type: TypeRef) -> str:
    inner = f"[{_wrappers(type.item)}]" if type.item is not None else ""
    return inner + ("!" if type.non_null else "")


def _merged(one: AnswerShape | None, other: AnswerShape) -> AnswerShape:
    if one is None:
        return other
    children = dict(one.children)
    for key, child in other.children.items():
        children[key] = _merged(children.get(key), child)
    return AnswerShape(tuple(dict.fromkeys((*one.renames, *other.renames))), children)
