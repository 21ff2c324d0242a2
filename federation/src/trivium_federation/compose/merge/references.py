"""Merges type references: what a field may return over all subgraphs, what an argument must be in all of them."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.compose.merge.state import Merging
from trivium_federation.supergraph.model import TypeRef


def merge_output(merging: Merging, types: Sequence[TypeRef]) -> TypeRef | None:
    """The one of `types` that covers all others (nullable covers non-null, an interface its types), or None."""
    for candidate in dict.fromkeys(types):
        if all(_is_covered(merging, other, candidate) for other in types):
            return candidate
    return None


def merge_input(types: Sequence[TypeRef]) -> TypeRef | None:
    """The strictest of `types`, which every subgraph accepts, or None."""
    for candidate in dict.fromkeys(types):
        if all(_is_stricter(candidate, other) for other in types):
            return candidate
    return None


def _is_covered(merging: Merging, one: TypeRef, by: TypeRef) -> bool:
    if by.non_null and not one.non_null:
        return False
    if one.item is not None and by.item is not None:
        return _is_covered(merging, one.item, by.item)
    return one.item is None and by.item is None and merging.is_subtype(one.name, by.name)


def _is_stricter(one: TypeRef, than: TypeRef) -> bool:
    if than.non_null and not one.non_null:
        return False
    if one.item is not None and than.item is not None:
        return _is_stricter(one.item, than.item)
    return one.item is None and than.item is None and one.name == than.name
