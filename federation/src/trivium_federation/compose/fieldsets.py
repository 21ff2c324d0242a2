"""Field sets of @key, @requires and @provides inside one subgraph: which fields they name, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import GraphQLSyntaxError, parse, print_ast
from graphql.language import ast

from trivium_federation.compose.literals import is_literal_of
from trivium_federation.compose.source import Applied, Source, SourceField, SourceType


@dataclass(frozen=True, slots=True)
class NamedField:
    """A field that a field set names. `path` leads to it, `parents` are the fields above it, outermost first."""

    type: SourceType
    field: SourceField
    parents: tuple[tuple[SourceType, SourceField], ...]
    node: ast.FieldNode

    @property
    def is_leaf(self) -> bool:
        """Whether the field set ends here."""
        return self.node.selection_set is None


class FieldSetFault(Exception):
    """A field set that cannot be used. `kind` is the end of its code: `INVALID_FIELDS`, `INVALID_FIELDS_TYPE`."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


def fieldset_text(applied: Applied) -> str | None:
    """The `fields` argument as one text. Federation 1 also wrote lists and bare names."""
    value = applied.argument("fields")
    if isinstance(value, ast.StringValueNode):
        return value.value
    if isinstance(value, ast.ListValueNode):
        return " ".join(
            v.value for v in value.values if isinstance(v, ast.StringValueNode | ast.EnumValueNode)
        )
    return value.value if isinstance(value, ast.EnumValueNode) else None


@lru_cache(maxsize=65_536)
def parse_fields(text: str) -> ast.SelectionSetNode:
    """Parse a field set. Raises: FieldSetFault."""
    if not text.strip():
        raise FieldSetFault("INVALID_FIELDS", "the field set is empty")
    try:
        document = parse("{" + text + "\n}", no_location=True)
    except GraphQLSyntaxError as error:
        raise FieldSetFault("INVALID_FIELDS", f"{text!r} is not a field set: {error.message}") from error
    operation = document.definitions[0]
    if len(document.definitions) != 1 or not isinstance(operation, ast.OperationDefinitionNode):
        raise FieldSetFault("INVALID_FIELDS", f"{text!r} is not a field set")
    return operation.selection_set


@lru_cache(maxsize=65_536)
def normal_text(text: str) -> str:
    """A field set as it is printed in supergraphs: one line, single spaces."""
    printed = print_ast(parse_fields(text)).replace("\n", " ")
    return " ".join(printed.strip()[1:-1].split())


def named_fields(source: Source, type_name: str, text: str) -> list[NamedField]:
    """Every field that a field set names on `type_name`. Raises: FieldSetFault for what does not exist."""
    return list(_walk(source, type_name, parse_fields(text), (), text))


def named_fields_leniently(source: Source, type_name: str, text: str) -> list[NamedField]:
    """The fields that a field set names; none if it is wrong, which is told elsewhere."""
    try:
        return named_fields(source, type_name, text)
    except FieldSetFault:
        return []


def _walk(
    source: Source,
    type_name: str,
    node: ast.SelectionSetNode,
    parents: tuple[tuple[SourceType, SourceField], ...],
    text: str,
) -> Iterator[NamedField]:
    info = source.types.get(type_name)
    if info is None:
        raise FieldSetFault("INVALID_FIELDS", f"there is no type {type_name}")
    for part in node.selections:
        if part.directives:
            raise FieldSetFault("DIRECTIVE_IN_FIELDS_ARG", f"{text!r} uses a directive")
        if isinstance(part, ast.InlineFragmentNode):
            condition = part.type_condition.name.value if part.type_condition else type_name
            if condition not in source.types:
                raise FieldSetFault(
                    "INVALID_FIELDS", f"{text!r} names type {condition}, which does not exist here"
                )
            yield from _walk(source, condition, part.selection_set, parents, text)
        elif isinstance(part, ast.FieldNode):
            yield from _walk_field(source, info, part, parents, text)
        else:
            raise FieldSetFault("INVALID_FIELDS", f"{text!r} uses a fragment, but field sets have none")


def _walk_field(
    source: Source,
    info: SourceType,
    node: ast.FieldNode,
    parents: tuple[tuple[SourceType, SourceField], ...],
    text: str,
) -> Iterator[NamedField]:
    name = node.name.value
    if node.alias is not None:
        raise FieldSetFault("INVALID_FIELDS", f"{text!r} uses an alias, but field sets have none")
    if name == "__typename":
        return
    field = info.fields.get(name)
    if field is None:
        message = f"{text!r} names {info.name}.{name}, which this subgraph does not declare"
        raise FieldSetFault("INVALID_FIELDS", message)
    _check_arguments(source, info, field, node, text)
    target = source.types.get(field.type.name)
    is_composite = target is not None and target.kind in ("object", "interface", "union")
    if is_composite and node.selection_set is None:
        message = f"{text!r} must say which fields of {field.type.name} it wants: {name} {{ ... }}"
        raise FieldSetFault("INVALID_FIELDS", message)
    if not is_composite and node.selection_set is not None:
        raise FieldSetFault(
            "INVALID_FIELDS", f"{text!r} selects fields of {info.name}.{name}, which has none"
        )
    yield NamedField(info, field, parents, node)
    if node.selection_set is not None:
        below = (*parents, (info, field))
        yield from _walk(source, field.type.name, node.selection_set, below, text)


def _check_arguments(
    source: Source, info: SourceType, field: SourceField, node: ast.FieldNode, text: str
) -> None:
    """Arguments in a field set are literals that the field takes."""
    given = {a.name.value: a.value for a in node.arguments or ()}
    for name, value in given.items():
        wanted = field.arguments.get(name)
        if wanted is None:
            message = f"{text!r} gives {info.name}.{field.name} an argument {name}, which it does not have"
            raise FieldSetFault("INVALID_FIELDS", message)
        if not is_literal_of(source, value, wanted.type):
            message = f"{text!r} gives {info.name}.{field.name}({name}:) a value that is no {wanted.type}"
            raise FieldSetFault("INVALID_FIELDS", message)
    for name, wanted in field.arguments.items():
        if name not in given and wanted.type.non_null and wanted.default is None:
            message = f"{text!r} must give {info.name}.{field.name} its argument {name}"
            raise FieldSetFault("INVALID_FIELDS", message)
