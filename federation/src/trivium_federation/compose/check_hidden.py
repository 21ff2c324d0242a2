"""@inaccessible in the merged schema: what clients see must not need what they do not see."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import parse_const_value
from graphql.language import ast

from trivium_federation.compose.merge.model import MergedInput, MergedPart, MergedSchema, MergedType
from trivium_federation.compose.problems import Problems


def check_hidden(schema: MergedSchema, problems: Problems) -> None:
    """Add every conflict between what is hidden and what is shown."""
    query = schema.types.get("Query")
    if query is not None and query.is_inaccessible:
        problems.error(
            "QUERY_ROOT_TYPE_INACCESSIBLE",
            "Query is @inaccessible, so clients can ask nothing",
            *query.places,
        )
    for merged in schema.types.values():
        if merged.is_inaccessible:
            continue
        _check_children(merged, problems)
        _check_members(schema, merged, problems)
        for at, part, type_name, parameters in _visible(merged):
            target = schema.types.get(type_name)
            if target is not None and target.is_inaccessible:
                message = f"{at} is of type {type_name}, which is @inaccessible"
                problems.error("REFERENCED_INACCESSIBLE", message, *part.places, *target.places[:1])
            for parameter in parameters:
                _check_default(schema, at, parameter, problems)
        _check_required(merged, problems)
        _check_interfaces(schema, merged, problems)


def _check_children(merged: MergedType, problems: Problems) -> None:
    children: list[MergedPart] = [*merged.fields.values(), *merged.inputs.values(), *merged.values.values()]
    if children and all(child.is_inaccessible for child in children):
        message = f"{merged.name} is shown, but everything in it is @inaccessible"
        problems.error("ONLY_INACCESSIBLE_CHILDREN", message, *merged.places)


def _check_members(schema: MergedSchema, merged: MergedType, problems: Problems) -> None:
    members = [schema.types[name] for name in merged.union_members if name in schema.types]
    if members and all(member.is_inaccessible for member in members):
        message = f"{merged.name} is shown, but all its members are @inaccessible"
        problems.error("ONLY_INACCESSIBLE_CHILDREN", message, *merged.places)


def _visible(merged: MergedType) -> Iterator[tuple[str, MergedPart, str, list[MergedInput]]]:
    """Each visible part that refers to a type, with the inputs that it declares."""
    for item in merged.fields.values():
        if item.is_inaccessible:
            continue
        at = f"{merged.name}.{item.name}"
        yield at, item, item.type.name, []
        for argument in item.arguments.values():
            if not argument.is_inaccessible:
                yield f"{at}({argument.name}:)", argument, argument.type.name, [argument]
    for value in merged.inputs.values():
        if not value.is_inaccessible:
            yield f"{merged.name}.{value.name}", value, value.type.name, [value]


def _check_required(merged: MergedType, problems: Problems) -> None:
    for item in merged.fields.values():
        for argument in item.arguments.values():
            if argument.is_inaccessible and argument.is_required and not item.is_inaccessible:
                message = f"{merged.name}.{item.name}({argument.name}:) is required, but @inaccessible"
                problems.error("REQUIRED_INACCESSIBLE", message, *argument.places)
    for value in merged.inputs.values():
        if value.is_inaccessible and value.is_required:
            message = f"{merged.name}.{value.name} is required, but @inaccessible"
            problems.error("REQUIRED_INACCESSIBLE", message, *value.places)


def _check_interfaces(schema: MergedSchema, merged: MergedType, problems: Problems) -> None:
    for name in merged.interfaces:
        interface = schema.types.get(name)
        if interface is None or interface.is_inaccessible:
            continue
        for field_name, item in interface.fields.items():
            own = merged.fields.get(field_name)
            if own is None or item.is_inaccessible:
                continue
            if own.is_inaccessible:
                message = f"{merged.name}.{field_name} is @inaccessible, but {name}.{field_name}, which it implements, is shown"
                problems.error("IMPLEMENTED_BY_INACCESSIBLE", message, *own.places)
            for argument in item.arguments.values():
                mine = own.arguments.get(argument.name)
                if mine is not None and mine.is_inaccessible and not argument.is_inaccessible:
                    message = (
                        f"{merged.name}.{field_name}({argument.name}:) is @inaccessible, but shown on {name}"
                    )
                    problems.error("IMPLEMENTED_BY_INACCESSIBLE", message, *mine.places)


def _check_default(schema: MergedSchema, at: str, parameter: MergedInput, problems: Problems) -> None:
    if parameter.default is None:
        return
    for hidden in _hidden_in(schema, parse_const_value(parameter.default), parameter.type.name):
        message = f"the default of {at} uses {hidden}, which is @inaccessible"
        problems.error("DEFAULT_VALUE_USES_INACCESSIBLE", message, *parameter.places)


def _hidden_in(schema: MergedSchema, value: ast.ValueNode, type_name: str) -> Iterator[str]:
    merged = schema.types.get(type_name)
    if merged is None:
        return
    if isinstance(value, ast.EnumValueNode):
        found = merged.values.get(value.value)
        if found is not None and found.is_inaccessible:
            yield f"{type_name}.{value.value}"
    elif isinstance(value, ast.ListValueNode):
        for item in value.values:
            yield from _hidden_in(schema, item, type_name)
    elif isinstance(value, ast.ObjectValueNode):
        for entry in value.fields:
            field = merged.inputs.get(entry.name.value)
            if field is None:
                continue
            if field.is_inaccessible:
                yield f"{type_name}.{field.name}"
            yield from _hidden_in(schema, entry.value, field.type.name)
