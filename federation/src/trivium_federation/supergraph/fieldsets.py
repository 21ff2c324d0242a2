"""Parses the field sets of keys, @requires and @provides."""

from __future__ import annotations

from functools import lru_cache

from graphql import GraphQLSyntaxError, parse
from graphql.language import ast

from trivium_federation.errors import SupergraphError


@lru_cache(maxsize=4096)
def parse_fieldset(text: str) -> ast.SelectionSetNode:
    """`"id owner { name }"` as a selection set. Raises: SupergraphError."""
    try:
        document = parse("{" + text + "}", no_location=True)
    except GraphQLSyntaxError as error:
        raise SupergraphError(f"{text!r} is not a field set: {error.message}") from error
    operation = document.definitions[0]
    assert isinstance(operation, ast.OperationDefinitionNode)  # noqa: S101 - the text opened with a brace
    return operation.selection_set
