"""Merges one type over the subgraphs that declare it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphql.language import ast

from trivium_federation.compose.fieldsets import FieldSetFault, fieldset_text, normal_text
from trivium_federation.compose.merge.applied import merge_description, merge_directives, read_requirements
from trivium_federation.compose.merge.fields import FieldPart, merge_field
from trivium_federation.compose.merge.inputs import merge_input_fields
from trivium_federation.compose.merge.model import FieldRow, MergedPart, MergedType, MergedValue, TypeRow
from trivium_federation.compose.merge.sharing import check_sharing
from trivium_federation.compose.merge.state import Declared, Merging, describe, listed, places_of

_KIND_NAMES = {"object": "an object type", "interface": "an interface", "union": "a union", "enum": "an enum"}
_KIND_NAMES |= {"scalar": "a scalar", "input": "an input type"}


def merge_type(merging: Merging, name: str) -> MergedType | None:
    """Merge everything but the values of enums, which depend on how other types use them."""
    declared = merging.declared[name]
    places = tuple(d.source.place(d.type.nodes[0]) for d in declared)
    kinds = {d.type.merged_kind for d in declared}
    if len(kinds) > 1:
        said = describe((d.source.name, _KIND_NAMES[d.type.merged_kind]) for d in declared)
        merging.problems.error("TYPE_KIND_MISMATCH", f"{name} is {said}", *places)
        return None
    merged = MergedType(
        name=name,
        description=merge_description(
            merging, name, [(p, d.type.description) for p, d in zip(places, declared, strict=True)]
        ),
        directives=merge_directives(merging, [(d.source, d.type) for d in declared]),
        places=places,
        kind=declared[0].type.merged_kind,
        rows=[row for d in declared for row in _rows(d)],
    )
    if merged.kind in ("object", "interface"):
        merged.implements = [(d.source.graph_id, i) for d in declared for i in d.type.interfaces]
        _merge_fields(merging, merged, declared)
    elif merged.kind == "union":
        merged.members = [(d.source.graph_id, m) for d in declared for m in d.type.members]
    elif merged.kind == "input":
        _merge_inputs(merging, merged, declared)
    return merged


def _rows(declared: Declared) -> list[TypeRow]:
    info, graph = declared.type, declared.source.graph_id
    rows: list[TypeRow] = []
    for applied in info.uses("key"):
        text = fieldset_text(applied) or ""
        try:
            text = normal_text(text)
        except FieldSetFault:
            pass  # told by the checks of the subgraph
        resolvable = applied.argument("resolvable")
        rows.append(
            TypeRow(
                graph,
                text,
                is_resolvable=not (isinstance(resolvable, ast.BooleanValueNode) and not resolvable.value),
                is_extension=isinstance(applied.element, ast.TypeExtensionNode) or info.has("extends"),
                is_interface_object=info.is_interface_object,
            )
        )
    return rows or [TypeRow(graph, is_interface_object=info.is_interface_object)]


def _merge_fields(merging: Merging, merged: MergedType, declared: Sequence[Declared]) -> None:
    for name in dict.fromkeys(name for d in declared for name in d.type.fields):
        parts = [
            FieldPart(d.position, d.source, d.facts, d.type, d.type.fields[name])
            for d in declared
            if name in d.type.fields
        ]
        found = merge_field(merging, parts, len(declared))
        if found is not None:
            merged.fields[name] = found
        if merged.kind == "object":
            check_sharing(merging, parts)


def _merge_inputs(merging: Merging, merged: MergedType, declared: Sequence[Declared]) -> None:
    merged.inputs = merge_input_fields(merging, merged.name, [(d.source, d.type.inputs) for d in declared])
    if not merged.inputs and any(d.type.inputs for d in declared):
        message = f"no field of {merged.name} is in all of {listed(d.source.name for d in declared)}"
        merging.problems.error("EMPTY_MERGED_INPUT_TYPE", message, *merged.places)


def merge_enum_values(merging: Merging, merged: MergedType) -> None:
    """Values of an enum: all of them if it is only returned, the common ones if it is only given, else they must agree."""
    declared = merging.declared[merged.name]
    is_input, is_output = merged.name in merging.input_types, merged.name in merging.output_types
    if not is_input and not is_output:
        message = f"nothing uses {merged.name}; all its values are kept"
        merging.problems.hint("UNUSED_ENUM_TYPE", message, *merged.places)
    for name in dict.fromkeys(name for d in declared for name in d.type.values):
        parts = [(d.source, d.type.values[name]) for d in declared if name in d.type.values]
        places = places_of(parts)
        value = MergedValue(
            name=name,
            description=merge_description(
                merging,
                f"{merged.name}.{name}",
                [(p, part.description) for p, (_, part) in zip(places, parts, strict=True)],
            ),
            directives=merge_directives(merging, parts),
            places=places,
            graphs=[source.graph_id for source, _ in parts],
        )
        absent = [d.source.name for d in declared if name not in d.type.values]
        if absent and is_input and not value.is_inaccessible:
            message = f"{merged.name}.{name} is missing in {listed(absent)}"
            if is_output:
                message += ", and the enum is both returned and given"
                merging.problems.error("ENUM_VALUE_MISMATCH", message, *places)
            else:
                merging.problems.hint(
                    "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM", f"{message}, so clients do not see it", *places
                )
                continue
        merged.values[name] = value
    if not merged.values:
        message = f"no value of {merged.name} is in all of {listed(d.source.name for d in declared)}"
        merging.problems.error("EMPTY_MERGED_ENUM_TYPE", message, *merged.places)


def add_interface_object_fields(merging: Merging, types: dict[str, MergedType]) -> None:
    """Fields that an interface has only through @interfaceObject belong to each implementation, in no subgraph of its own."""
    with_objects = {
        name
        for name, declared in merging.declared.items()
        if any(d.type.is_interface_object for d in declared)
    }
    for merged in types.values():
        if merged.kind not in ("object", "interface"):
            continue
        for interface in merged.interfaces:
            if interface not in with_objects or interface not in types:
                continue
            for name, item in types[interface].fields.items():
                if name not in merged.fields:
                    merged.fields[name] = replace(item, rows=[FieldRow(None)])


def guard_interfaces(merging: Merging, types: dict[str, MergedType]) -> None:
    """Who asks an interface must fulfil what any of its implementations demands, and the same for each field."""
    for merged in types.values():
        if merged.kind != "interface":
            continue
        concrete = [t for t in types.values() if t.kind == "object" and merged.name in t.interfaces]
        _guard(merging, merged, concrete)
        for name, item in merged.fields.items():
            _guard(merging, item, [t.fields[name] for t in concrete if name in t.fields])


def _guard(merging: Merging, part: MergedPart, implementations: Sequence[MergedPart]) -> None:
    found = read_requirements(text for other in implementations for text in other.directives)
    part.directives += [str(requirement) for requirement in found]
    merging.specs.update(requirement.name for requirement in found)
