"""Answers `__schema` and `__type` from the API schema, without any subgraph."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import GraphQLSchema, execute_sync
from graphql.language import ast

from trivium_federation.errors import RequestError
from trivium_federation.execute.response_shape import ResponseShape
from trivium_federation.operation.document import Operation


def answer_introspection(
    schema: GraphQLSchema, operation: Operation, shape: ResponseShape, variables: Mapping[str, object]
) -> dict[str, object]:
    """The values of the operation's introspection fields, by response key."""
    wanted = {f.response_key for f in shape.fields(shape.root_type, shape.root_nodes) if f.kind == "local"}
    fields = tuple(_local_fields(operation.node.selection_set, operation, wanted))
    only = ast.OperationDefinitionNode(
        operation=ast.OperationType.QUERY,
        selection_set=ast.SelectionSetNode(selections=fields),
        variable_definitions=operation.node.variable_definitions,
        directives=(),
    )
    document = ast.DocumentNode(definitions=(only, *operation.fragments.values()))
    result = execute_sync(schema, document, variable_values=dict(variables))
    if result.errors:
        raise RequestError.of("INTROSPECTION_FAILED", result.errors[0].message)
    return dict(result.data or {})


def _local_fields(node: ast.SelectionSetNode, operation: Operation, wanted: set[str]) -> list[ast.FieldNode]:
    found: list[ast.FieldNode] = []
    for part in node.selections:
        if isinstance(part, ast.FieldNode):
            if (part.alias or part.name).value in wanted and part.name.value in ("__schema", "__type"):
                found.append(part)
        elif isinstance(part, ast.FragmentSpreadNode):
            body = operation.fragments[part.name.value].selection_set
            found += _local_fields(body, operation, wanted)
        elif isinstance(part, ast.InlineFragmentNode):
            found += _local_fields(part.selection_set, operation, wanted)
    return found
