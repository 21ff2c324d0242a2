"""Reads a supergraph SDL (join v0.1 to v0.5) into the tables of `model`. Refuses what it does not understand, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graphql import GraphQLSyntaxError, parse
from graphql.language import ast

from trivium_federation.errors import SupergraphError
from trivium_federation.supergraph import join
from trivium_federation.supergraph.model import (
    Argument,
    Field,
    JoinType,
    Subgraph,
    Supergraph,
    TypeInfo,
    TypeKind,
    TypeRef,
)

_KINDS: dict[type[ast.Node], TypeKind] = {
    ast.ObjectTypeDefinitionNode: "object",
    ast.InterfaceTypeDefinitionNode: "interface",
    ast.UnionTypeDefinitionNode: "union",
    ast.EnumTypeDefinitionNode: "enum",
    ast.ScalarTypeDefinitionNode: "scalar",
    ast.InputObjectTypeDefinitionNode: "input",
}
_INTERNAL = re.compile(r"^(join|link|core|connect)__")
_BUILT_IN_SCALARS = ("Int", "Float", "String", "Boolean", "ID")
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


def parse_supergraph(sdl: str) -> ast.DocumentNode:
    """Parse the SDL. Raises: SupergraphError with the place of the fault."""
    try:
        return parse(sdl)
    except GraphQLSyntaxError as error:
        line, column = error.locations[0] if error.locations else (0, 0)
        raise SupergraphError(error.message, line, column) from error


def load_supergraph(document: ast.DocumentNode) -> Supergraph:
    """Build the tables. Raises: SupergraphError."""
    specs = join.read_specs(document)
    subgraphs = _subgraphs(document)
    reader = join.JoinReader(specs.join_version, subgraphs, _definitions(document))
    types: dict[str, TypeInfo] = {n: _built_in(n) for n in _BUILT_IN_SCALARS}
    for node in _definitions(document):
        types[node.name.value] = _type(node, reader, specs)
    possible = {name: _possible(name, info, types) for name, info in types.items() if info.is_abstract}
    roots = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
    for definition in document.definitions:
        if isinstance(definition, ast.SchemaDefinitionNode):
            roots = {t.operation.value: t.type.name.value for t in definition.operation_types}
    roots = {operation: name for operation, name in roots.items() if name in types}
    if "query" not in roots:
        raise SupergraphError("the supergraph has no query type")
    return Supergraph(
        subgraphs=subgraphs,
        types=types,
        possible_types=possible,
        root_types=roots,
        override_labels=frozenset(_labels(types)),
        fieldset_names=frozenset(_fieldset_names(types)),
    )


def _definitions(document: ast.DocumentNode) -> Iterator[ast.TypeDefinitionNode]:
    for node in document.definitions:
        if isinstance(node, ast.TypeDefinitionNode):
            if not _INTERNAL.match(node.name.value):
                yield node
        elif isinstance(node, ast.TypeExtensionNode):
            raise join.error_at(node, "a supergraph has no type extensions")


def _subgraphs(document: ast.DocumentNode) -> dict[str, Subgraph]:
    for node in document.definitions:
        if isinstance(node, ast.EnumTypeDefinitionNode) and node.name.value == "join__Graph":
            found: dict[str, Subgraph] = {}
            for value in node.values or ():
                given = next(iter(join.directives(value, "join__graph")), None)
                if given is None:
                    raise join.error_at(value, f"{value.name.value} lacks @join__graph")
                graph_id = value.name.value
                name, url = str(given.get("name", graph_id)), str(given.get("url", ""))
                found[graph_id] = Subgraph(graph_id, name, url)
            if found:
                return found
    raise SupergraphError("no join__Graph enum with subgraphs: this is not a supergraph")


def _type(node: ast.TypeDefinitionNode, reader: join.JoinReader, specs: join.Specs) -> TypeInfo:
    kind = _KINDS[type(node)]
    name = node.name.value
    joins = reader.types_of(node)
    inaccessible = join.has_directive(node, specs.inaccessible)
    fields: dict[str, Field] = {}
    interfaces: dict[str, frozenset[str]] = {}
    members: dict[str, frozenset[str]] = {}
    values: frozenset[str] = frozenset()
    inputs: dict[str, Argument] = {}
    if isinstance(node, ast.ObjectTypeDefinitionNode | ast.InterfaceTypeDefinitionNode):
        for field in node.fields or ():
            fields[field.name.value] = _field(field, node, joins, reader, specs)
        interfaces = reader.interfaces_of(node, joins)
    elif isinstance(node, ast.UnionTypeDefinitionNode):
        members = reader.members_of(node, joins)
    elif isinstance(node, ast.EnumTypeDefinitionNode):
        values = frozenset(
            v.name.value for v in node.values or () if not join.has_directive(v, specs.inaccessible)
        )
    elif isinstance(node, ast.InputObjectTypeDefinitionNode):
        inputs = {
            f.name.value: _argument(f)
            for f in node.fields or ()
            if not join.has_directive(f, specs.inaccessible)
        }
    return TypeInfo(name, kind, joins, inaccessible, fields, interfaces, members, values, inputs)


def _field(
    node: ast.FieldDefinitionNode,
    parent: ast.TypeDefinitionNode,
    parent_joins: dict[str, JoinType],
    reader: join.JoinReader,
    specs: join.Specs,
) -> Field:
    cost = next(iter(join.directives(node, "cost")), {}).get("weight")
    return Field(
        name=node.name.value,
        type=join.type_ref(node.type),
        arguments=tuple(_argument(a) for a in node.arguments or ()),
        joins=reader.fields_of(node, parent, parent_joins),
        is_inaccessible=join.has_directive(node, specs.inaccessible),
        cost_weight=int(str(cost)) if cost is not None else None,
    )


def _argument(node: ast.InputValueDefinitionNode) -> Argument:
    return Argument(node.name.value, join.type_ref(node.type), node.default_value is not None)


def _built_in(name: str) -> TypeInfo:
    return TypeInfo(name, "scalar", {}, False, {}, {}, {}, frozenset(), {})


def _possible(name: str, info: TypeInfo, types: dict[str, TypeInfo]) -> tuple[str, ...]:
    if info.kind == "union":
        return tuple(member for member in info.members if member in types)
    return tuple(t.name for t in types.values() if t.kind == "object" and name in t.interfaces)


def _labels(types: dict[str, TypeInfo]) -> Iterable[str]:
    for info in types.values():
        for field in info.fields.values():
            for row in field.joins.values():
                if row.override_label is not None:
                    yield row.override_label


def _fieldset_names(types: dict[str, TypeInfo]) -> Iterable[str]:
    for info in types.values():
        for joined in info.joins.values():
            for key in joined.keys:
                yield from _NAME.findall(key.fields)
        for field in info.fields.values():
            for row in field.joins.values():
                yield from _NAME.findall(f"{row.requires or ''} {row.provides or ''}")


__all__ = ["TypeRef", "load_supergraph", "parse_supergraph"]
