"""GraphQL's rule that fields under one response key can be merged (section 5.3.2), in time near linear in the operation.

graphql-core compares every pair of fields, which a few kilobytes of repeated fields turn into a second of work. Here
all fields of one response key are compared with the first of their group, and their selections are checked together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
    is_composite_type,
)
from graphql.language import ast

from trivium_federation.errors import RequestError
from trivium_federation.operation.normalise import arguments_text
from trivium_federation.operation.selection import TYPENAME

_TYPENAME_TYPE = GraphQLNonNull(GraphQLString)
# A selection set with the name of the type that its fields are of.
Part = tuple[str, ast.SelectionSetNode]
Found = tuple[str, ast.FieldNode, GraphQLOutputType]


def check_overlaps(
    schema: GraphQLSchema,
    operation: ast.OperationDefinitionNode,
    fragments: Mapping[str, ast.FragmentDefinitionNode],
) -> None:
    """Check an operation that is valid otherwise. Raises: RequestError naming the response key."""
    root = schema.get_root_type(operation.operation)
    if root is not None:
        _OverlapCheck(schema, fragments).check([(root.name, operation.selection_set)], is_same_object=True)


class _OverlapCheck:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, ast.FragmentDefinitionNode]) -> None:
        self._schema = schema
        self._fragments = fragments
        self._checked: set[tuple[object, ...]] = set()

    def check(self, parts: list[Part], *, is_same_object: bool) -> None:
        """Check selections that may be of one object, or (`is_same_object` false) only stand at the same place."""
        memo = is_same_object, *((name, id(node)) for name, node in parts)
        if memo in self._checked:
            return
        self._checked.add(memo)
        groups: dict[str, list[Found]] = {}
        self._gather(parts, groups)
        for key, fields in groups.items():
            if len(fields) == 1 and fields[0][1].selection_set is None:
                continue
            self._check_shapes(key, fields)
            bodies = _bodies(fields)
            if not is_same_object:
                self.check(bodies, is_same_object=False)
                continue
            together = list(self._overlapping(fields))
            for overlapping in together:
                self._check_calls(key, overlapping)
                self.check(_bodies(overlapping), is_same_object=True)
            if len(together) > 1:
                self.check(bodies, is_same_object=False)

    def _gather(self, parts: Iterable[Part], groups: dict[str, list[Found]]) -> None:
        stack = list(reversed(list(parts)))
        seen: set[str] = set()
        while stack:
            type_name, node = stack.pop()
            for part in node.selections:
                if isinstance(part, ast.FieldNode):
                    key = part.alias.value if part.alias else part.name.value
                    type_ = self._field_type(type_name, part.name.value)
                    if type_ is not None:
                        groups.setdefault(key, []).append((type_name, part, type_))
                elif isinstance(part, ast.FragmentSpreadNode):
                    fragment = self._fragments[part.name.value]
                    if part.name.value not in seen:
                        seen.add(part.name.value)
                        stack.append((fragment.type_condition.name.value, fragment.selection_set))
                elif isinstance(part, ast.InlineFragmentNode):
                    condition = part.type_condition.name.value if part.type_condition else type_name
                    stack.append((condition, part.selection_set))

    def _field_type(self, type_name: str, name: str) -> GraphQLOutputType | None:
        if name == TYPENAME:
            return _TYPENAME_TYPE
        parent = self._schema.get_type(type_name)
        if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) and name in parent.fields:
            type_: GraphQLOutputType = parent.fields[name].type
            return type_
        return None  # introspection: of one type wherever it may stand

    def _overlapping(self, fields: list[Found]) -> Iterable[list[Found]]:
        """The fields that may be of one object: those of each object type, together with all of abstract types."""
        abstract: list[Found] = []
        concrete: dict[str, list[Found]] = {}
        for found in fields:
            if isinstance(self._schema.get_type(found[0]), GraphQLObjectType):
                concrete.setdefault(found[0], []).append(found)
            else:
                abstract.append(found)
        if not concrete:
            yield abstract
        for own in concrete.values():
            yield own + abstract

    def _check_calls(self, key: str, fields: list[Found]) -> None:
        first = fields[0][1]
        arguments = arguments_text(first)
        for _, node, _ in fields[1:]:
            if node.name.value != first.name.value or arguments_text(node) != arguments:
                raise _conflict(key, "different fields or arguments")

    def _check_shapes(self, key: str, fields: list[Found]) -> None:
        shape = _shape(fields[0][2])
        for _, _, type_ in fields[1:]:
            if type_ is not fields[0][2] and _shape(type_) != shape:
                raise _conflict(key, "different types")


def _bodies(fields: Iterable[Found]) -> list[Part]:
    return [
        (get_named_type(type_).name, node.selection_set)
        for _, node, type_ in fields
        if node.selection_set is not None
    ]


def _shape(type_: GraphQLOutputType) -> str:
    """Lists and nulls, and the name where it ends in a leaf."""
    if isinstance(type_, GraphQLNonNull):
        return f"{_shape(type_.of_type)}!"
    if isinstance(type_, GraphQLList):
        return f"[{_shape(type_.of_type)}]"
    return "{}" if is_composite_type(type_) else type_.name


def _conflict(key: str, reason: str) -> RequestError:
    return RequestError.of(
        "GRAPHQL_VALIDATION_FAILED",
        f"Fields '{key}' conflict: {reason}. Use different aliases on the fields to fetch both.",
    )
