"""@cost and @listSize inside one subgraph."""

from __future__ import annotations

from graphql.language import ast

from trivium_federation.compose.facts import uses_on_fields
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Applied, Source, SourceField, SourceType


def check_costs(source: Source, problems: Problems) -> None:
    """Costs stand on concrete fields, and list sizes name lists and Int arguments that exist."""
    for info, item, applied in uses_on_fields(source, "cost"):
        if info.kind == "interface":
            message = f"@cost on {info.name}.{item.name}, a field of an interface"
            problems.error("COST_APPLIED_TO_INTERFACE_FIELD", message, source.place(applied.node))
    for info, item, applied in uses_on_fields(source, "listSize"):
        _check_list_size(source, info, item, applied, problems)


def _check_list_size(
    source: Source, info: SourceType, item: SourceField, applied: Applied, problems: Problems
) -> None:
    at, place = f"{info.name}.{item.name}", source.place(applied.node)
    sized = _strings(applied.argument("sizedFields"))
    if not sized and not item.type.is_list:
        problems.error("LIST_SIZE_APPLIED_TO_NON_LIST", f"@listSize on {at}, which is no list", place)
    assumed = applied.argument("assumedSize")
    if isinstance(assumed, ast.IntValueNode) and int(assumed.value) < 0:
        problems.error("LIST_SIZE_INVALID_ASSUMED_SIZE", f"the assumed size of {at} is negative", place)
    for name in _strings(applied.argument("slicingArguments")):
        argument = item.arguments.get(name)
        if argument is None:
            message = f"{at} has no argument {name} to slice by"
            problems.error("LIST_SIZE_INVALID_SLICING_ARGUMENT", message, place)
        elif argument.type.is_list or argument.type.name != "Int":
            message = f"{at}({name}:) is of type {argument.type}, not Int"
            problems.error("LIST_SIZE_INVALID_SLICING_ARGUMENT", message, place)
    target = source.types.get(item.type.name)
    for name in sized:
        if target is None or target.kind not in ("object", "interface"):
            message = f"{at} returns {item.type}, which has no fields to size"
            problems.error("LIST_SIZE_INVALID_SIZED_FIELD", message, place)
        elif name not in target.fields:
            message = f"{target.name} has no field {name}"
            problems.error("LIST_SIZE_INVALID_SIZED_FIELD", message, place)
        elif not target.fields[name].type.is_list:
            message = f"@listSize on {at} sizes {target.name}.{name}, which is no list"
            problems.error("LIST_SIZE_APPLIED_TO_NON_LIST", message, place)


def _strings(value: ast.ValueNode | None) -> list[str]:
    if isinstance(value, ast.StringValueNode):
        return [value.value]
    if not isinstance(value, ast.ListValueNode):
        return []
    return [v.value for v in value.values if isinstance(v, ast.StringValueNode)]
