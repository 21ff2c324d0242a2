"""Merges one field of an object or interface over the subgraphs that declare it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import print_ast

from trivium_federation.compose.facts import Facts
from trivium_federation.compose.fieldsets import FieldSetFault, fieldset_text, normal_text
from trivium_federation.compose.merge.applied import merge_description, merge_directives
from trivium_federation.compose.merge.inputs import merge_arguments
from trivium_federation.compose.merge.model import FieldRow, MergedField
from trivium_federation.compose.merge.references import merge_output
from trivium_federation.compose.merge.state import Merging, describe, listed, places_of
from trivium_federation.compose.source import Source, SourceField, SourceType
from trivium_federation.supergraph.model import TypeRef

_NOT_ON_EXTERNAL = (
    "deprecated",
    "tag",
    "inaccessible",
    "authenticated",
    "requiresScopes",
    "policy",
    "cost",
    "listSize",
)


@dataclass(slots=True)
class FieldPart:
    """A field as one subgraph declares it."""

    position: int
    source: Source
    facts: Facts
    type: SourceType
    field: SourceField

    @property
    def is_external(self) -> bool:
        """Whether the subgraph does not resolve it, or only where it provides it."""
        return (self.type.name, self.field.name) in self.facts.external


def merge_field(merging: Merging, parts: Sequence[FieldPart], graphs_of_type: int) -> MergedField | None:
    """Merge; None if the field cannot be had at all, which is a problem told."""
    at = f"{parts[0].type.name}.{parts[0].field.name}"
    own = [p for p in parts if not p.is_external]
    if not own:
        places = places_of((p.source, p.field) for p in parts)
        message = (
            f"{at} is @external in {listed(p.source.name for p in parts)}, and no other subgraph resolves it"
        )
        merging.problems.error("EXTERNAL_MISSING_ON_BASE", message, *places)
        return None
    merged_type = _merge_type(merging, at, own)
    pairs = [(p.source, p.field) for p in own]
    places = places_of(pairs)
    merged = MergedField(
        name=own[0].field.name,
        description=merge_description(
            merging, at, [(where, p.field.description) for where, p in zip(places, own, strict=True)]
        ),
        directives=merge_directives(merging, pairs),
        places=places,
        type=merged_type,
        arguments=merge_arguments(merging, at, [(p.source, p.field.arguments) for p in own]),
    )
    for part in parts:
        if part.is_external:
            _check_external(merging, at, part, merged, own)
    merged.rows = _rows(merging, parts, graphs_of_type)
    return merged


def _merge_type(merging: Merging, at: str, own: Sequence[FieldPart]) -> TypeRef:
    types = [p.field.type for p in own]
    merging.output_types.update(t.name for t in types)
    merged = merge_output(merging, types)
    if merged is None:
        places = places_of((p.source, p.field) for p in own)
        texts = describe((p.source.name, p.field.type) for p in own)
        merging.problems.error(
            "FIELD_TYPE_MISMATCH", f"{at} returns types that do not go together: {texts}", *places
        )
        return types[0]
    if len({str(t) for t in types}) > 1:
        texts = describe((p.source.name, p.field.type) for p in own)
        message = f"{at} is {merged} for clients: {texts}"
        places = places_of((p.source, p.field) for p in own)
        merging.problems.hint("INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE", message, *places)
    return merged


def _check_external(
    merging: Merging, at: str, part: FieldPart, merged: MergedField, own: Sequence[FieldPart]
) -> None:
    place, problems = part.source.place(part.field.node), merging.problems
    other = own[0].source.place(own[0].field.node)
    for name in _NOT_ON_EXTERNAL:
        if part.field.has(name):
            message = f"@{name} on {at}, which is @external here"
            problems.error("MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL", message, place)
    wanted, given = merged.type, part.field.type
    if wanted != given:
        message = f"{at} is {given} as @external, but {wanted} where it is resolved"
        problems.error("EXTERNAL_TYPE_MISMATCH", message, place, other)
    for name, argument in merged.arguments.items():
        mine = part.field.arguments.get(name)
        if mine is None:
            problems.error(
                "EXTERNAL_ARGUMENT_MISSING", f"{at}({name}:) is missing on the @external field", place, other
            )
            continue
        if not _accepts(mine.type, argument.type):
            message = f"{at}({name}:) is {mine.type} on the @external field, but {argument.type} where it is resolved"
            problems.error("EXTERNAL_ARGUMENT_TYPE_MISMATCH", message, place, other)
        default = print_ast(mine.default) if mine.default is not None else None
        if default != argument.default:
            message = f"{at}({name}:) has another default on the @external field"
            problems.error("EXTERNAL_ARGUMENT_DEFAULT_MISMATCH", message, place, other)


def _accepts(mine: TypeRef, theirs: TypeRef) -> bool:
    """Whether the external declaration takes all values that the resolved argument takes."""
    if mine.non_null and not theirs.non_null:
        return False
    if mine.item is not None and theirs.item is not None:
        return _accepts(mine.item, theirs.item)
    return mine.item is None and theirs.item is None and mine.name == theirs.name


def _rows(merging: Merging, parts: Sequence[FieldPart], graphs_of_type: int) -> list[FieldRow]:
    do_types_differ = len({str(p.field.type) for p in parts}) > 1
    rows: list[FieldRow] = []
    for part in parts:
        name, item, position = part.type.name, part.field, part.position
        if merging.overrides.is_erased(name, item.name, position):
            continue
        taking = merging.overrides.taking.get((name, item.name, position))
        overridden = merging.overrides.overridden.get((name, item.name, position))
        label = taking[1] if taking else overridden.label if overridden else None
        rows.append(
            FieldRow(
                graph=part.source.graph_id,
                type=str(item.type) if do_types_differ else None,
                is_external=part.is_external,
                requires=_fieldset(item, "requires"),
                provides=_fieldset(item, "provides"),
                override=taking[0] if taking else None,
                override_label=label,
                is_used_overridden=overridden is not None and overridden.is_used,
            )
        )
    if len(rows) == graphs_of_type and all(row.is_plain for row in rows):
        return []
    return rows


def _fieldset(item: SourceField, directive: str) -> str | None:
    applied = next(item.uses(directive), None)
    text = fieldset_text(applied) if applied is not None else None
    try:
        return normal_text(text) if text is not None else None
    except FieldSetFault:
        return text
