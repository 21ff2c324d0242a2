"""Is the schema that clients see a valid GraphQL schema? Parts that were fine alone may not be so together."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    print_ast,
    validate_schema,
    value_from_ast,
)

from trivium_federation.compose.check_graphql import NEWER_RULE
from trivium_federation.compose.problems import Problems


def check_api(api: GraphQLSchema, problems: Problems) -> None:
    """Add INVALID_GRAPHQL for what GraphQL forbids in the merged schema."""
    for fault in _faults_of(api):
        problems.error("INVALID_GRAPHQL", f"the schema that clients see is invalid: {fault}")


def _faults_of(api: GraphQLSchema) -> list[str]:
    """What GraphQL forbids in the merged schema; the engine's schema counts as valid, so it is looked at anew."""
    parts = api.to_kwargs()
    parts["assume_valid"] = False
    found = [fault.message for fault in validate_schema(GraphQLSchema(**parts))]
    return [m for m in found if NEWER_RULE not in m] + list(_bad_defaults(api))


def _bad_defaults(api: GraphQLSchema) -> Iterator[str]:
    """Defaults that were fine in their subgraph, but whose enum value or input field is gone."""
    for name, info in api.type_map.items():
        inputs: list[tuple[str, GraphQLArgument | GraphQLInputField]] = []
        if isinstance(info, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in info.fields.items():
                inputs += [(f"{name}.{field_name}({n}:)", argument) for n, argument in field.args.items()]
        elif isinstance(info, GraphQLInputObjectType):
            inputs += [(f"{name}.{n}", value) for n, value in info.fields.items()]
        for at, value in inputs:
            node = value.ast_node.default_value if value.ast_node is not None else None
            if node is not None and value_from_ast(node, value.type) is Undefined:
                yield f"{at} has the default {print_ast(node)}, which is no {value.type} for clients"
