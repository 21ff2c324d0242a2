"""Checks and completes the variables of a request. The rules are compiled once per document, without graphql-core after."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    print_ast,
    type_from_ast,
    value_from_ast,
)
from graphql.language import ast

from trivium_federation.errors import RequestError

Coerce = Callable[[object, int], object]
_MISSING = object()


@dataclass(frozen=True, slots=True)
class VariableRule:
    """One variable: how it is declared to subgraphs, and how a value is checked."""

    name: str
    definition: str
    is_required: bool
    default: object
    coerce: Coerce


class InvalidValue(ValueError):
    """A value does not fit its type; the message completes `Variable '$x': …`."""


def compile_rules(
    schema: GraphQLSchema, nodes: Sequence[ast.VariableDefinitionNode], max_depth: int
) -> tuple[VariableRule, ...]:
    """The rules of an operation that is valid."""
    rules: list[VariableRule] = []
    for node in nodes:
        type_ = cast(GraphQLInputType, type_from_ast(schema, node.type))
        name = node.variable.name.value
        default: object = _MISSING
        definition = f"${name}:{print_ast(node.type)}"
        if node.default_value is not None:
            default = value_from_ast(node.default_value, type_)
            definition += f"={print_ast(node.default_value)}"
        is_required = isinstance(type_, GraphQLNonNull) and default is _MISSING
        rules.append(VariableRule(name, definition, is_required, default, _coercer(type_, {}, max_depth)))
    return tuple(rules)


def coerce_variables(rules: Sequence[VariableRule], given: Mapping[str, object]) -> dict[str, object]:
    """The values to use. Raises: RequestError with one error per variable that does not fit."""
    values: dict[str, object] = {}
    faults: list[dict[str, object]] = []
    for rule in rules:
        value = given.get(rule.name, _MISSING)
        if value is _MISSING:
            if rule.is_required:
                faults.append(_fault(rule.name, "a value is required"))
            elif rule.default is not _MISSING:
                values[rule.name] = rule.default
            continue
        try:
            values[rule.name] = rule.coerce(value, 0)
        except InvalidValue as error:
            faults.append(_fault(rule.name, str(error)))
    if faults:
        raise RequestError(faults)
    return values


def _fault(name: str, reason: str) -> dict[str, object]:
    return {"message": f"Variable '${name}': {reason}.", "extensions": {"code": "BAD_USER_INPUT"}}


def _coercer(type_: GraphQLInputType, known: dict[str, Coerce], max_depth: int) -> Coerce:
    if isinstance(type_, GraphQLNonNull):
        inner = _coercer(type_.of_type, known, max_depth)

        def non_null(value: object, depth: int) -> object:
            if value is None:
                raise InvalidValue("null is not allowed here")
            return inner(value, depth)

        return non_null
    if isinstance(type_, GraphQLList):
        item = _coercer(type_.of_type, known, max_depth)

        def items(value: object, depth: int) -> object:
            if value is None:
                return None
            if depth > max_depth:
                raise InvalidValue("the value nests too deeply")
            if isinstance(value, list | tuple):
                return [item(v, depth + 1) for v in value]
            return [item(value, depth + 1)]

        return items
    if isinstance(type_, GraphQLInputObjectType):
        return _input_object(type_, known, max_depth)
    if isinstance(type_, GraphQLEnumType):
        return _enum(frozenset(type_.values))
    name = type_.name if isinstance(type_, GraphQLScalarType) else ""
    return _SCALARS.get(name, _anything)


def _input_object(type_: GraphQLInputObjectType, known: dict[str, Coerce], max_depth: int) -> Coerce:
    """Input types may contain themselves, so the rule of a type is registered before those of its fields are made."""
    if type_.name in known:
        return known[type_.name]
    fields: dict[str, tuple[bool, object, Coerce]] = {}

    def coerce(value: object, depth: int) -> object:
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise InvalidValue(f"expected an object of type {type_.name}")
        if depth > max_depth:
            raise InvalidValue("the value nests too deeply")
        unknown = next((k for k in value if k not in fields), None)
        if unknown is not None:
            raise InvalidValue(f"{type_.name} has no field {str(unknown)[:64]!r}")
        found: dict[str, object] = {}
        for name, (is_required, default, rule) in fields.items():
            if name in value:
                found[name] = rule(value[name], depth + 1)
            elif is_required:
                raise InvalidValue(f"{type_.name}.{name} is required")
            elif default is not _MISSING:
                found[name] = default
        if type_.is_one_of and (len(found) != 1 or None in found.values()):
            raise InvalidValue(f"{type_.name} takes exactly one field, and it must not be null")
        return found

    known[type_.name] = coerce
    for name, field in type_.fields.items():
        default = _MISSING if field.default_value is Undefined else field.default_value
        is_required = isinstance(field.type, GraphQLNonNull) and default is _MISSING
        # A default stays with the subgraph that declares it, which applies it itself.
        fields[name] = (is_required, _MISSING, _coercer(field.type, known, max_depth))
    return coerce


def _enum(values: frozenset[str]) -> Coerce:
    def coerce(value: object, _depth: int) -> object:
        if value is None or (isinstance(value, str) and value in values):
            return value
        raise InvalidValue("not a value of the enum")

    return coerce


def _int(value: object, _depth: int) -> object:
    if value is None or (type(value) is int and -(2**31) <= value < 2**31):
        return value
    if type(value) is float and value.is_integer() and -(2**31) <= value < 2**31:
        return int(value)
    raise InvalidValue("expected an Int of 32 bits")


def _float(value: object, _depth: int) -> object:
    if value is None or (type(value) in (int, float) and math.isfinite(value)):  # type: ignore[arg-type]
        return value
    raise InvalidValue("expected a Float")


def _string(value: object, _depth: int) -> object:
    if value is None or isinstance(value, str):
        return value
    raise InvalidValue("expected a String")


def _boolean(value: object, _depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    raise InvalidValue("expected a Boolean")


def _id(value: object, _depth: int) -> object:
    if value is None or isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise InvalidValue("expected an ID")


def _anything(value: object, _depth: int) -> object:
    """Custom scalars are checked by the subgraph that knows them."""
    return value


_SCALARS: dict[str, Coerce] = {
    "Int": _int,
    "Float": _float,
    "String": _string,
    "Boolean": _boolean,
    "ID": _id,
}
