"""A field of an object type is resolved in one subgraph, unless all that resolve it call it @shareable."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.compose.merge.fields import FieldPart
from trivium_federation.compose.merge.state import Merging, listed, places_of
from trivium_federation.compose.problems import Place


def check_sharing(merging: Merging, parts: Sequence[FieldPart]) -> None:
    """Add INVALID_FIELD_SHARING if the subgraphs do not agree on sharing."""
    type_name, name = parts[0].type.name, parts[0].field.name
    shared: list[str] = []
    alone: list[tuple[str, Place]] = []
    for part in parts:
        if part.facts.is_fully_external(type_name, name):
            continue
        if merging.overrides.is_gone(type_name, name, part.position):
            continue
        if (type_name, name) in part.facts.shareable:
            shared.append(part.source.name)
        else:
            alone.append((part.source.name, part.source.place(part.field.node)))
    for subgraph, place, is_shareable in _through_interface_objects(merging, type_name, name):
        if is_shareable:
            shared.append(subgraph)
        else:
            alone.append((subgraph, place))
    if type_name == "Subscription" and shared and any(p.field.has("shareable") for p in parts):
        message = f"{type_name}.{name} is @shareable, but a subscription has one source"
        merging.problems.error(
            "INVALID_FIELD_SHARING", message, *places_of((p.source, p.field) for p in parts)
        )
    if alone and len(alone) + len(shared) > 1:
        who = listed([subgraph for subgraph, _ in alone] + shared)
        lacking = listed(subgraph for subgraph, _ in alone)
        message = f"{type_name}.{name} is resolved in {who}, but is not @shareable in {lacking}"
        merging.problems.error("INVALID_FIELD_SHARING", message, *[place for _, place in alone])
    elif any(_is_abstract(part) for part in parts):
        _check_runtime_types(merging, parts)


def _through_interface_objects(merging: Merging, type_name: str, name: str) -> list[tuple[str, Place, bool]]:
    """Subgraphs that resolve the field for the type without knowing the type."""
    found: list[tuple[str, Place, bool]] = []
    for interface in merging.supertypes.get(type_name, ()):
        for declared in merging.declared.get(interface, ()):
            item = declared.type.fields.get(name) if declared.type.is_interface_object else None
            if item is None or declared.facts.is_fully_external(interface, name):
                continue
            is_shareable = (interface, name) in declared.facts.shareable
            found.append((declared.source.name, declared.source.place(item.node), is_shareable))
    return found


def _check_runtime_types(merging: Merging, parts: Sequence[FieldPart]) -> None:
    """Subgraphs that share a field of an abstract type must have a type in common, or the answer depends on the way."""
    at = f"{parts[0].type.name}.{parts[0].field.name}"
    known = {
        part.source.name: frozenset(t.name for t in part.source.possible_types(part.field.type.name))
        for part in parts
        if not part.is_external
        and not _stands_for_others(part)
        and not merging.overrides.is_gone(part.type.name, part.field.name, part.position)
    }
    if len(known) < 2 or not all(known.values()) or frozenset.intersection(*known.values()):
        return
    said = ", ".join(f"{listed(sorted(types))} in {subgraph}" for subgraph, types in known.items())
    places = places_of((p.source, p.field) for p in parts)
    message = f"{at} is shared, but its subgraphs have no type in common that it can return: {said}"
    merging.problems.error("SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES", message, *places)


def _stands_for_others(part: FieldPart) -> bool:
    """Whether the field returns an @interfaceObject: any type, as far as its subgraph knows."""
    target = part.source.types.get(part.field.type.name)
    return target is not None and target.is_interface_object


def _is_abstract(part: FieldPart) -> bool:
    target = part.source.types.get(part.field.type.name)
    return target is not None and target.kind in ("interface", "union")
