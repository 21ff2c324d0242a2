"""Reads one subgraph's SDL into a `Source`: extensions folded in, roots named Query, Mutation, Subscription."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from graphql import GraphQLSyntaxError, parse
from graphql.language import ast

from trivium_federation.compose.directives import MACHINERY_FIELDS, MACHINERY_TYPES
from trivium_federation.compose.links import Links, read_links
from trivium_federation.compose.problems import Place, Problems
from trivium_federation.compose.source import (
    Applied,
    Source,
    SourceEnumValue,
    SourceField,
    SourceInput,
    SourceType,
    SubgraphSchema,
)
from trivium_federation.supergraph.model import TypeKind, TypeRef

ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_KINDS: dict[type[ast.Node], tuple[TypeKind, bool]] = {
    ast.ObjectTypeDefinitionNode: ("object", True),
    ast.InterfaceTypeDefinitionNode: ("interface", True),
    ast.UnionTypeDefinitionNode: ("union", True),
    ast.EnumTypeDefinitionNode: ("enum", True),
    ast.ScalarTypeDefinitionNode: ("scalar", True),
    ast.InputObjectTypeDefinitionNode: ("input", True),
    ast.ObjectTypeExtensionNode: ("object", False),
    ast.InterfaceTypeExtensionNode: ("interface", False),
    ast.UnionTypeExtensionNode: ("union", False),
    ast.EnumTypeExtensionNode: ("enum", False),
    ast.ScalarTypeExtensionNode: ("scalar", False),
    ast.InputObjectTypeExtensionNode: ("input", False),
}
_BUILT_IN_SCALARS = frozenset({"Int", "Float", "String", "Boolean", "ID"})


def read_source(schema: SubgraphSchema, problems: Problems) -> Source | None:
    """Read a schema; None if it cannot be parsed. Everything that is wrong goes to `problems`."""
    try:
        document = parse(schema.sdl)
    except GraphQLSyntaxError as error:
        line, column = error.locations[0] if error.locations else (0, 0)
        place = Place(schema.name, schema.file, line, column)
        problems.error("INVALID_GRAPHQL", error.message, place)
        return None
    links = read_links(document)
    source = _Reader(schema, document, links, problems).read()
    for code, message, node in links.faults:
        problems.error(code, message, source.place(node))
    return source


def graph_ids(names: Iterable[str]) -> list[str]:
    """A value of join__Graph for each subgraph name: capitals, `_` for what GraphQL names cannot have, no two alike."""
    plain = [re.sub(r"[^A-Z0-9_]", "_", name.upper()) for name in names]
    plain = [f"_{name}" if name[:1].isdigit() or not name else name for name in plain]
    found: list[str] = []
    for position, name in enumerate(plain):
        is_alone = plain.count(name) == 1
        ends_like_a_number = re.search(r"_\d+$", name) is not None
        if is_alone:
            found.append(f"{name}_" if ends_like_a_number else name)
        else:
            found.append(f"{name}_{plain[: position + 1].count(name)}")
    return found


Named = TypeVar("Named", SourceField, SourceInput, SourceEnumValue)


class _Reader:
    """Reads one document; one use."""

    def __init__(
        self, schema: SubgraphSchema, document: ast.DocumentNode, links: Links, problems: Problems
    ) -> None:
        self._links = links
        self._problems = problems
        self._document = document
        self._source = Source(schema, "", links, {}, {}, [], {})
        self._renames: dict[str, str] = {}

    def read(self) -> Source:
        """Read all definitions, in the order of the document."""
        self._read_roots()
        for node in self._document.definitions:
            if isinstance(node, ast.DirectiveDefinitionNode):
                self._source.directive_definitions.setdefault(node.name.value, node)
            elif isinstance(node, ast.TypeDefinitionNode | ast.TypeExtensionNode):
                self._read_type(node)
            elif isinstance(node, ast.SchemaDefinitionNode | ast.SchemaExtensionNode):
                self._source.schema_directives += self._applied(node, node)
                if isinstance(node, ast.SchemaDefinitionNode) and node.description:
                    self._source.description = node.description.value
        self._drop_machinery()
        return self._source

    # -- roots --------------------------------------------------------------------------------------------------

    def _read_roots(self) -> None:
        """Roots may have any name in a subgraph; in the supergraph they have the usual ones."""
        declared: dict[str, ast.NamedTypeNode] = {}
        has_definition = False
        for node in self._document.definitions:
            if isinstance(node, ast.SchemaDefinitionNode | ast.SchemaExtensionNode):
                has_definition = has_definition or bool(node.operation_types)
                for root in node.operation_types or ():
                    declared[root.operation.value] = root.type
        names = {
            n.name.value
            for n in self._document.definitions
            if isinstance(n, ast.TypeDefinitionNode | ast.TypeExtensionNode)
        }
        for operation, usual in ROOTS.items():
            given = declared.get(operation)
            if given is not None and given.name.value != usual:
                self._renames[given.name.value] = usual
                self._source.roots[operation] = usual
                if usual in names:
                    message = f"{given.name.value} is the {operation} root, but there is also a type {usual}"
                    self._problems.error(f"ROOT_{usual.upper()}_USED", message, self._source.place(given))
            elif given is not None or (usual in names and not has_definition):
                self._source.roots[operation] = usual

    # -- types --------------------------------------------------------------------------------------------------

    def _read_type(self, node: ast.TypeDefinitionNode | ast.TypeExtensionNode) -> None:
        name = self._renames.get(node.name.value, node.name.value)
        kind, is_definition = _KINDS[type(node)]
        if name in MACHINERY_TYPES or self._links.is_machinery_type(name):
            return
        if kind == "scalar" and (name in _BUILT_IN_SCALARS or self._is_fieldset_scalar(name)):
            return
        known = self._source.types.get(name)
        if known is None:
            known = self._source.types[name] = SourceType(name, kind, None, [], [], has_definition=False)
        elif known.kind != kind or (is_definition and known.has_definition):
            message = (
                f"{name} is defined twice"
                if known.kind == kind
                else f"{name} is both {known.kind} and {kind}"
            )
            self._problems.error("INVALID_GRAPHQL", message, self._source.place(node))
            if known.kind != kind:
                return
        known.directives += self._applied(node, node)
        if is_definition:
            known.has_definition = True
            known.nodes.insert(0, node)
        else:
            known.nodes.append(node)
        description = getattr(node, "description", None)
        if description is not None:
            known.description = description.value
        self._read_members(known, node)

    def _read_members(self, known: SourceType, node: ast.Node) -> None:
        if known.kind in ("object", "interface"):
            for field in getattr(node, "fields", None) or ():
                self._add(known.fields, self._field(field, node), field)
            for interface in getattr(node, "interfaces", None) or ():
                known.interfaces[interface.name.value] = interface
        elif known.kind == "input":
            for value in getattr(node, "fields", None) or ():
                self._add(known.inputs, self._input(value), value)
        elif known.kind == "union":
            for member in getattr(node, "types", None) or ():
                known.members[self._renames.get(member.name.value, member.name.value)] = member
        elif known.kind == "enum":
            for value in getattr(node, "values", None) or ():
                found = SourceEnumValue(
                    value.name.value, _description(value), self._applied(value, value), value
                )
                self._add(known.values, found, value)

    def _add(self, table: dict[str, Named], found: Named, node: ast.Node) -> None:
        if found.name in table:
            message = f"{found.name} is declared twice"
            self._problems.error("INVALID_GRAPHQL", message, self._source.place(node))
        else:
            table[found.name] = found

    def _field(self, node: ast.FieldDefinitionNode, element: ast.Node) -> SourceField:
        arguments: dict[str, SourceInput] = {}
        for argument in node.arguments or ():
            self._add(arguments, self._input(argument), argument)
        return SourceField(
            name=node.name.value,
            type=self._type_ref(node.type),
            arguments=arguments,
            description=_description(node),
            directives=self._applied(node, node),
            node=node,
            element=element,
        )

    def _input(self, node: ast.InputValueDefinitionNode) -> SourceInput:
        return SourceInput(
            name=node.name.value,
            type=self._type_ref(node.type),
            default=node.default_value,
            description=_description(node),
            directives=self._applied(node, node),
            node=node,
        )

    def _applied(self, node: ast.Node, element: ast.Node) -> list[Applied]:
        found: list[Applied] = []
        for directive in getattr(node, "directives", None) or ():
            local = directive.name.value
            known = self._links.known_directive(local)
            found.append(Applied(known or f"@{local}", local, directive, element))
        return found

    def _type_ref(self, node: ast.TypeNode) -> TypeRef:
        if isinstance(node, ast.NonNullTypeNode):
            inner = self._type_ref(node.type)
            return TypeRef(inner.name, non_null=True, item=inner.item)
        if isinstance(node, ast.ListTypeNode):
            item = self._type_ref(node.type)
            return TypeRef(item.name, non_null=False, item=item)
        assert isinstance(node, ast.NamedTypeNode)  # noqa: S101 - the grammar has no fourth case
        return TypeRef(self._renames.get(node.name.value, node.name.value), non_null=False)

    # -- machinery ----------------------------------------------------------------------------------------------

    def _is_fieldset_scalar(self, name: str) -> bool:
        """Federation 1 schemas, and code-first libraries, print the scalar of field sets without a namespace."""
        return name == "FieldSet" and not any(
            isinstance(n, ast.ObjectTypeDefinitionNode)
            and any(_named(f.type) == "FieldSet" for f in n.fields or ())
            for n in self._document.definitions
        )

    def _drop_machinery(self) -> None:
        """Take out what only the gateway asks; what is left of Query may be empty, but every subgraph has one."""
        query = self._source.types.get("Query")
        if query is None:
            query = SourceType("Query", "object", None, [], [self._document], has_definition=True)
            self._source.types["Query"] = query
        for name in MACHINERY_FIELDS:
            query.fields.pop(name, None)


def _description(node: ast.Node) -> str | None:
    found = getattr(node, "description", None)
    return found.value if found is not None else None


def _named(node: ast.TypeNode) -> str:
    while not isinstance(node, ast.NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]
    return node.name.value
