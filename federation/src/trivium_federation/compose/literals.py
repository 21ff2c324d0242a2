"""Is a literal a value of an input type, as one subgraph knows the type? Custom scalars take anything."""

from __future__ import annotations

from graphql.language import ast

from trivium_federation.compose.source import Source
from trivium_federation.supergraph.model import TypeRef

_SCALARS: dict[str, tuple[type[ast.ValueNode], ...]] = {
    "Int": (ast.IntValueNode,),
    "Float": (ast.IntValueNode, ast.FloatValueNode),
    "String": (ast.StringValueNode,),
    "Boolean": (ast.BooleanValueNode,),
    "ID": (ast.StringValueNode, ast.IntValueNode),
}


def is_literal_of(source: Source, value: ast.ValueNode, type_: TypeRef) -> bool:
    """Whether `value` can be given where `type_` is wanted."""
    if isinstance(value, ast.NullValueNode):
        return not type_.non_null
    if type_.item is not None:
        values = value.values if isinstance(value, ast.ListValueNode) else (value,)
        return all(is_literal_of(source, item, type_.item) for item in values)
    if type_.name in _SCALARS:
        return isinstance(value, _SCALARS[type_.name])
    info = source.types.get(type_.name)
    if info is None or info.kind == "scalar":
        return True
    if info.kind == "enum":
        return isinstance(value, ast.EnumValueNode) and value.value in info.values
    if info.kind != "input" or not isinstance(value, ast.ObjectValueNode):
        return False
    given = {field.name.value: field.value for field in value.fields}
    if not given.keys() <= info.inputs.keys():
        return False
    return all(
        is_literal_of(source, given[name], wanted.type)
        if name in given
        else wanted.default is not None or not wanted.type.non_null
        for name, wanted in info.inputs.items()
    )
