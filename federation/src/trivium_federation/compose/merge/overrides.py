"""@override: which subgraph takes a field over from which, always or under a label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from trivium_federation.compose.facts import Facts
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Applied, Source, SourceField, SourceType

_LABEL = re.compile(r"^[A-Za-z][\w\-:./]*$|^percent\((?:\d{1,2}(?:\.\d{1,8})?|100)\)$")
At = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Overridden:
    """A field that another subgraph takes over. `is_used`: its subgraph still needs it for a key or an interface."""

    label: str | None
    is_used: bool


@dataclass(slots=True)
class Overrides:
    """`taking`: (type, field, subgraph) → (from, label); `overridden`: (type, field, subgraph) → how."""

    taking: dict[At, tuple[str, str | None]] = field(default_factory=dict)
    overridden: dict[At, Overridden] = field(default_factory=dict)

    def is_gone(self, type_name: str, field_name: str, position: int) -> bool:
        """Whether the subgraph resolves the field no more, label or not."""
        return (type_name, field_name, position) in self.overridden

    def is_erased(self, type_name: str, field_name: str, position: int) -> bool:
        """Whether nothing is left of the field in that subgraph."""
        found = self.overridden.get((type_name, field_name, position))
        return found is not None and found.label is None and not found.is_used


def find_overrides(sources: Sequence[Source], facts: Sequence[Facts], problems: Problems) -> Overrides:
    """Read and check every @override."""
    overrides = Overrides()
    positions = {source.name: position for position, source in enumerate(sources)}
    for position, source in enumerate(sources):
        for info in source.types.values():
            for item in info.fields.values():
                for applied in item.uses("override"):
                    if _check(source, info, item, applied, problems):
                        _add(overrides, sources, facts, positions, position, info, item, applied, problems)
    return overrides


def _check(source: Source, info: SourceType, item: SourceField, applied: Applied, problems: Problems) -> bool:
    at, place = f"{info.name}.{item.name}", source.place(applied.node)
    label = applied.text("label")
    if info.kind == "interface":
        problems.error("OVERRIDE_ON_INTERFACE", f"@override on {at}, a field of an interface", place)
        return False
    if info.is_interface_object:
        message = f"@override on {at}, a field of an @interfaceObject"
        problems.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, place)
        return False
    if label is not None and not _LABEL.match(label):
        problems.error("OVERRIDE_LABEL_INVALID", f"{label!r} on {at} is no label", place)
        return False
    if applied.text("from") == source.name:
        problems.error("OVERRIDE_FROM_SELF_ERROR", f"{source.name} overrides its own {at}", place)
        return False
    return True


def _add(
    overrides: Overrides,
    sources: Sequence[Source],
    facts: Sequence[Facts],
    positions: dict[str, int],
    position: int,
    info: SourceType,
    item: SourceField,
    applied: Applied,
    problems: Problems,
) -> None:
    at, place = f"{info.name}.{item.name}", sources[position].place(applied.node)
    label, origin = applied.text("label"), applied.text("from") or ""
    from_position = positions.get(origin)
    if from_position is None:
        close = [n for n in positions if n.lower() == origin.lower()]
        suggestion = f" (did you mean {close[0]!r}?)" if close else ""
        problems.hint(
            "FROM_SUBGRAPH_DOES_NOT_EXIST",
            f"{at} is taken from {origin!r}, which is no subgraph{suggestion}",
            place,
        )
        return
    before = sources[from_position].types.get(info.name)
    old = before.fields.get(item.name) if before is not None else None
    if old is None or before is None:
        problems.hint("OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", f"{origin} has no {at} any more", place)
        return
    old_place = sources[from_position].place(old.node)
    if before.is_interface_object:
        message = f"{at} cannot be taken from {origin}, where {info.name} is an @interfaceObject"
        problems.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, place, old_place)
    elif (info.name, item.name) in facts[position].external:
        message = f"{at} is @external here, so nothing here can override it"
        problems.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, place)
    elif old.has("override"):
        message = f"{at} is taken from {origin}, which takes it from another subgraph itself"
        problems.error("OVERRIDE_SOURCE_HAS_OVERRIDE", message, place, old_place)
    elif (info.name, item.name) in facts[from_position].external:
        overrides.taking[info.name, item.name, position] = origin, label
        problems.hint(
            "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED", f"{origin} does not resolve {at} (it is @external)", place
        )
    elif old.has("requires") or old.has("provides"):
        message = f"{at} cannot be taken from {origin}, where it has @requires or @provides"
        problems.error("OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE", message, place, old_place)
    else:
        is_used = (info.name, item.name) in facts[from_position].used
        overrides.taking[info.name, item.name, position] = origin, label
        overrides.overridden[info.name, item.name, from_position] = Overridden(label, is_used)
        if label is None:
            rest = "is still used there, but could be @external" if is_used else "is no longer used"
            problems.hint(
                "OVERRIDDEN_FIELD_CAN_BE_REMOVED", f"{at} of {origin} is overridden and {rest}", old_place
            )
        else:
            message = f"{at} moves from {origin} to {sources[position].name} under the label {label!r}"
            problems.hint("OVERRIDE_MIGRATION_IN_PROGRESS", message, place)
