"""One client document, parsed and checked once: its operations, their variables and the conditions that plans depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from graphql import (
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OverlappingFieldsCanBeMergedRule,
    parse,
    specified_rules,
    validate,
)
from graphql.language import ast

from trivium_federation.errors import RequestError
from trivium_federation.operation.limits import check_size, check_tokens
from trivium_federation.operation.overlap import check_overlaps
from trivium_federation.operation.variables import VariableRule, compile_rules
from trivium_federation.options import Limits

# The overlap rule is checked by `overlap` instead: graphql-core's is quadratic.
_RULES = tuple(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule)
_MAX_PLACED_BYTES = 8 * 1024
Fragments = Mapping[str, ast.FragmentDefinitionNode]


@dataclass(frozen=True)
class Operation:
    """One operation of a document, with the fragments that the document defines."""

    name: str | None
    kind: str
    node: ast.OperationDefinitionNode
    fragments: Fragments
    rules: tuple[VariableRule, ...]

    @cached_property
    def condition_variables(self) -> tuple[str, ...]:
        """The variables that @skip and @include depend on: a plan exists for each set of their values in use."""
        found: dict[str, None] = {}
        for node in self._selections:
            for directive in getattr(node, "directives", None) or ():
                if directive.name.value in ("skip", "include"):
                    value = directive.arguments[0].value
                    if isinstance(value, ast.VariableNode):
                        found[value.name.value] = None
        return tuple(sorted(found))

    @cached_property
    def _selections(self) -> tuple[ast.Node, ...]:
        """Every field, fragment and spread that the operation uses, each once."""
        found: list[ast.Node] = []
        stack, seen = [self.node.selection_set], set[str]()
        while stack:
            for part in stack.pop().selections:
                found.append(part)
                if isinstance(part, ast.FragmentSpreadNode):
                    if part.name.value not in seen:
                        seen.add(part.name.value)
                        stack.append(self.fragments[part.name.value].selection_set)
                elif isinstance(part, ast.FieldNode | ast.InlineFragmentNode) and part.selection_set:
                    stack.append(part.selection_set)
        return tuple(found)


class Document:
    """The operations of one text."""

    def __init__(self, text: str, operations: Sequence[Operation]) -> None:
        self.text = text
        self.operations = tuple(operations)
        # Measured: what graphql-core keeps of a document is 40 to 60 times its text.
        self.size_bytes = 2_000 + 60 * len(text)

    def operation(self, name: str | None) -> Operation:
        """The operation to run. Raises: RequestError if `name` does not decide it."""
        if name is None or name == "":
            if len(self.operations) == 1:
                return self.operations[0]
            raise RequestError.of(
                "OPERATION_RESOLUTION_FAILURE", "the document has several operations: name one"
            )
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise RequestError.of("OPERATION_RESOLUTION_FAILURE", "the document has no operation of that name")


def read_document(text: str, schema: GraphQLSchema, limits: Limits) -> Document:
    """Parse, bound and validate a text. Raises: RequestError with what the client must change."""
    if (
        len(text) > limits.max_document_bytes
        or len(text.encode("utf-8", "replace")) > limits.max_document_bytes
    ):
        raise RequestError.of("MAX_DOCUMENT_SIZE", f"the document exceeds {limits.max_document_bytes} bytes")
    check_tokens(text, limits)
    tree = _parse(text, limits, no_location=True)
    fragments = {d.name.value: d for d in tree.definitions if isinstance(d, ast.FragmentDefinitionNode)}
    nodes = [d for d in tree.definitions if isinstance(d, ast.OperationDefinitionNode)]
    if not nodes:
        raise RequestError.of("GRAPHQL_VALIDATION_FAILED", "the document has no operation")
    for node in nodes:
        check_size(node, fragments, limits)
    faults = validate(schema, tree, _RULES, max_errors=20, hide_suggestions=True)
    if faults:
        if len(text) <= _MAX_PLACED_BYTES:
            # Places cost much memory, so only a document that is at fault is parsed with them.
            tree = _parse(text, limits, no_location=False)
            faults = validate(schema, tree, _RULES, max_errors=20, hide_suggestions=True)
        raise RequestError([_plain(f, "GRAPHQL_VALIDATION_FAILED") for f in faults])
    for node in nodes:
        check_overlaps(schema, node, fragments)
    operations = [
        Operation(
            node.name.value if node.name else None,
            node.operation.value,
            node,
            fragments,
            compile_rules(schema, node.variable_definitions or (), limits.max_variable_depth),
        )
        for node in nodes
    ]
    return Document(text, operations)


def _parse(text: str, limits: Limits, *, no_location: bool) -> ast.DocumentNode:
    try:
        return parse(
            text,
            no_location=no_location,
            max_tokens=limits.max_tokens,
            allow_empty_selection_sets=False,
        )
    except GraphQLSyntaxError as error:
        raise RequestError([_plain(error, "GRAPHQL_PARSE_FAILED")]) from error
    except RecursionError as error:
        raise RequestError.of("MAX_DEPTH", "the document nests too deeply") from error


def _plain(error: GraphQLError, code: str) -> dict[str, object]:
    found: dict[str, object] = {"message": error.message[:1000], "extensions": {"code": code}}
    if error.locations:
        found["locations"] = [{"line": x.line, "column": x.column} for x in error.locations]
    return found
