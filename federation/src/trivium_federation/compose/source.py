"""One subgraph's schema as composition sees it: types with their places, extensions folded in, machinery gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql.language import ast

from trivium_federation.compose.links import Links
from trivium_federation.compose.problems import Place
from trivium_federation.supergraph.model import TypeKind, TypeRef


@dataclass(frozen=True, slots=True)
class SubgraphSchema:
    """What composition is given of one subgraph. `file` only names the source in messages."""

    name: str
    url: str
    sdl: str
    file: str = ""


@dataclass(slots=True, eq=False)
class Applied:
    """A use of a directive. `name` is its own name (`key`), also where the schema calls it otherwise (`@fed__key`)."""

    name: str
    local_name: str
    node: ast.ConstDirectiveNode
    element: ast.Node

    def argument(self, name: str) -> ast.ValueNode | None:
        """The given value, or None."""
        return next((a.value for a in self.node.arguments or () if a.name.value == name), None)

    def text(self, name: str) -> str | None:
        """The given value if it is a string."""
        value = self.argument(name)
        return value.value if isinstance(value, ast.StringValueNode) else None


class HasDirectives:
    """What every part of a schema has."""

    __slots__ = ()
    directives: list[Applied]

    def uses(self, name: str) -> Iterator[Applied]:
        """The uses of a directive on this element."""
        return (d for d in self.directives if d.name == name)

    def has(self, name: str) -> bool:
        """Whether the directive is used on this element."""
        return any(d.name == name for d in self.directives)


@dataclass(slots=True, eq=False)
class SourceInput(HasDirectives):
    """An argument or an input field."""

    name: str
    type: TypeRef
    default: ast.ValueNode | None
    description: str | None
    directives: list[Applied]
    node: ast.InputValueDefinitionNode


@dataclass(slots=True, eq=False)
class SourceField(HasDirectives):
    """A field. `element` is the definition or extension of the type that declares it."""

    name: str
    type: TypeRef
    arguments: dict[str, SourceInput]
    description: str | None
    directives: list[Applied]
    node: ast.FieldDefinitionNode
    element: ast.Node


@dataclass(slots=True, eq=False)
class SourceEnumValue(HasDirectives):
    """A value of an enum."""

    name: str
    description: str | None
    directives: list[Applied]
    node: ast.EnumValueDefinitionNode


@dataclass(slots=True, eq=False)
class SourceType(HasDirectives):
    """A type with everything that its definition and extensions say. `nodes` has the definition first."""

    name: str
    kind: TypeKind
    description: str | None
    directives: list[Applied]
    nodes: list[ast.Node]
    has_definition: bool
    fields: dict[str, SourceField] = field(default_factory=dict)
    inputs: dict[str, SourceInput] = field(default_factory=dict)
    values: dict[str, SourceEnumValue] = field(default_factory=dict)
    interfaces: dict[str, ast.Node] = field(default_factory=dict)
    members: dict[str, ast.Node] = field(default_factory=dict)

    @property
    def is_extension(self) -> bool:
        """Whether this subgraph only extends the type: no definition, or the federation 1 mark for that."""
        return not self.has_definition or self.has("extends")

    @property
    def is_interface_object(self) -> bool:
        """Whether this object type stands for a whole interface."""
        return self.kind == "object" and self.has("interfaceObject")

    @property
    def merged_kind(self) -> TypeKind:
        """The kind that the type has in the supergraph."""
        return "interface" if self.is_interface_object else self.kind


@dataclass(slots=True, eq=False)
class Source:
    """A subgraph that was read. `graph_id` is its value of the supergraph's join__Graph."""

    subgraph: SubgraphSchema
    graph_id: str
    links: Links
    types: dict[str, SourceType]
    directive_definitions: dict[str, ast.DirectiveDefinitionNode]
    schema_directives: list[Applied]
    roots: dict[str, str]
    description: str | None = None

    @property
    def name(self) -> str:
        """What people call the subgraph."""
        return self.subgraph.name

    def place(self, node: ast.Node | None) -> Place:
        """Where `node` stands."""
        location = node.loc if node is not None else None
        if location is None:
            return Place(self.subgraph.name, self.subgraph.file)
        token = location.start_token
        return Place(self.subgraph.name, self.subgraph.file, token.line, token.column)

    def possible_types(self, name: str) -> list[SourceType]:
        """The object types that a value of type `name` may have, as this subgraph knows it."""
        info = self.types.get(name)
        if info is None:
            return []
        if info.kind == "union":
            return [self.types[m] for m in info.members if m in self.types]
        if info.kind == "interface":
            return [t for t in self.types.values() if t.kind == "object" and name in t.interfaces]
        return [info]
