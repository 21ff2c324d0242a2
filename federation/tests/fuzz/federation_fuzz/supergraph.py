"""Reads a supergraph for the fuzzer: types, fields and which subgraph has what. Shares no code with the engine."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ConstDirectiveNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    SchemaDefinitionNode,
    UnionTypeDefinitionNode,
    parse,
    parse_type,
    value_from_ast_untyped,
)
from graphql.language import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode

_BUILT_IN = {"Int", "Float", "String", "Boolean", "ID"}
_MACHINERY = ("join__", "link__", "core__")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One `@join__field`: what one graph says of a field. `graph` None: contributed through an interface object."""

    graph: str | None
    type: str | None = None
    external: bool = False
    requires: str | None = None
    provides: str | None = None
    override: str | None = None
    override_label: str | None = None
    used_overridden: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument or input field, as the supergraph has it."""

    name: str
    node: InputValueDefinitionNode
    graphs: frozenset[str] | None  # None: in every graph of its type
    is_inaccessible: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface type."""

    name: str
    type: TypeNode
    arguments: tuple[Argument, ...]
    rows: tuple[FieldRow, ...]
    is_inaccessible: bool


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One `@join__type`: a graph has the type, perhaps with this key."""

    graph: str
    key: str | None
    is_resolvable: bool
    is_interface_object: bool


@dataclass(slots=True)
class Type:
    """A type of the supergraph with everything that the graphs say of it."""

    name: str
    kind: str  # object, interface, union, enum, input, scalar
    rows: list[TypeRow]
    is_inaccessible: bool
    fields: dict[str, Field] = field(default_factory=dict)
    inputs: dict[str, Argument] = field(default_factory=dict)
    interfaces: list[str] = field(default_factory=list)
    implements: set[tuple[str, str]] = field(default_factory=set)  # (graph, interface)
    members: dict[str, set[str]] = field(default_factory=dict)  # graph → members of the union there
    values: dict[str, tuple[frozenset[str] | None, bool]] = field(
        default_factory=dict
    )  # graphs, inaccessible

    @property
    def graphs(self) -> list[str]:
        """Graphs that have the type, in order, each once."""
        return list(dict.fromkeys(row.graph for row in self.rows))


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as one graph has it."""

    type: TypeNode
    can_resolve: bool
    requires: str | None
    provides: str | None


@dataclass(slots=True)
class Supergraph:
    """The whole supergraph, with the questions that the fuzzer asks of it."""

    sdl: str
    graphs: dict[str, tuple[str, str]]  # enum value → (name, url)
    types: dict[str, Type]
    roots: dict[str, str]  # "query" → type name
    active_labels: frozenset[str] = frozenset()

    def graph_named(self, name: str) -> str:
        """The enum value of the graph with this name."""
        return next(graph for graph, (known, _) in self.graphs.items() if known == name)

    def is_interface_object(self, type_name: str, graph: str) -> bool:
        """Whether this graph has the interface as an object type."""
        return any(row.graph == graph and row.is_interface_object for row in self.types[type_name].rows)

    def has_type(self, type_name: str, graph: str) -> bool:
        """Whether this graph knows the type."""
        return any(row.graph == graph for row in self.types[type_name].rows)

    def keys(self, type_name: str, graph: str) -> list[str]:
        """Resolvable keys of the type in this graph."""
        rows = self.types[type_name].rows
        return [row.key for row in rows if row.graph == graph and row.key and row.is_resolvable]

    def is_entity(self, type_name: str) -> bool:
        """Whether any graph has a key for the type, or for an interface that it implements."""
        names = [type_name, *self.types[type_name].interfaces]
        return any(row.key for name in names if name in self.types for row in self.types[name].rows)

    def field_view(self, type_name: str, field_name: str, graph: str) -> FieldView | None:
        """The field as this graph has it, None where it does not."""
        definition = self.types[type_name].fields[field_name]
        if not definition.rows:
            return FieldView(definition.type, True, None, None) if self.has_type(type_name, graph) else None
        row = next((row for row in definition.rows if row.graph == graph), None)
        if row is None:
            return None
        can_resolve = not (row.external or row.used_overridden or self._is_overridden(definition, graph))
        if row.override and not self._is_active(row):
            can_resolve = False
        node = parse_type(row.type) if row.type else definition.type
        return FieldView(node, can_resolve, row.requires, row.provides)

    def views(self, type_name: str, field_name: str) -> dict[str, FieldView]:
        """The field in every graph that has it."""
        found = (
            (graph, self.field_view(type_name, field_name, graph)) for graph in self.types[type_name].graphs
        )
        return {graph: view for graph, view in found if view}

    def possible_types(self, name: str) -> list[str]:
        """Object types that a position of this type can hold, anywhere."""
        named = self.types[name]
        if named.kind == "object":
            return [name]
        if named.kind == "union":
            return sorted(set().union(*named.members.values()))
        return [t.name for t in self.types.values() if t.kind == "object" and name in t.interfaces]

    def possible_types_in(self, name: str, graph: str) -> list[str]:
        """Object types that a position of this type can hold in one graph."""
        named = self.types[name]
        if named.kind == "object":
            return [name] if self.has_type(name, graph) else []
        if named.kind == "union":
            return sorted(named.members.get(graph, ()))
        if self.is_interface_object(name, graph):
            return self.possible_types(name)
        return [t.name for t in self.types.values() if t.kind == "object" and (graph, name) in t.implements]

    def _is_overridden(self, definition: Field, graph: str) -> bool:
        name = self.graphs[graph][0]
        return any(row.override == name and self._is_active(row) for row in definition.rows)

    def _is_active(self, row: FieldRow) -> bool:
        return row.override_label is None or row.override_label in self.active_labels

    @property
    def has_interface_objects(self) -> bool:
        """Whether any graph has an interface as an object type."""
        return any(row.is_interface_object for t in self.types.values() for row in t.rows)

    @property
    def labels(self) -> frozenset[str]:
        """Every label that an override waits for."""
        rows = (row for t in self.types.values() for f in t.fields.values() for row in f.rows)
        return frozenset(row.override_label for row in rows if row.override_label)


def read_supergraph(sdl: str) -> Supergraph:
    """Read the join directives of a supergraph, version 0.1 to 0.5."""
    document = parse(sdl)
    graphs: dict[str, tuple[str, str]] = {}
    types: dict[str, Type] = {}
    roots = {"query": "Query"}
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            roots = {op.operation.value: op.type.name.value for op in node.operation_types}
        elif isinstance(node, EnumTypeDefinitionNode) and node.name.value == "join__Graph":
            for value in node.values or ():
                said = _arguments(_directives(value, "join__graph")[0])
                graphs[value.name.value] = (said["name"], said.get("url") or "")
        elif _is_type_definition(node) and not node.name.value.startswith(_MACHINERY):  # type: ignore[attr-defined]
            read = _read_type(node)
            types[read.name] = read
    return Supergraph(sdl, graphs, types, roots)


def named_type(node: TypeNode) -> str:
    """The name at the core of a type reference."""
    while not isinstance(node, NamedTypeNode):
        assert isinstance(node, ListTypeNode | NonNullTypeNode)
        node = node.type
    return node.name.value


def is_built_in(name: str) -> bool:
    """Whether this is one of the five scalars of the language."""
    return name in _BUILT_IN


def _is_type_definition(node: object) -> bool:
    return isinstance(
        node,
        ObjectTypeDefinitionNode
        | InterfaceTypeDefinitionNode
        | UnionTypeDefinitionNode
        | EnumTypeDefinitionNode
        | InputObjectTypeDefinitionNode
        | ScalarTypeDefinitionNode,
    )


def _read_type(node: Any) -> Type:
    kind = {
        "object_type_definition": "object",
        "interface_type_definition": "interface",
        "union_type_definition": "union",
        "enum_type_definition": "enum",
        "input_object_type_definition": "input",
        "scalar_type_definition": "scalar",
    }[node.kind]
    rows = [
        TypeRow(
            row["graph"], row.get("key"), row.get("resolvable", True), row.get("isInterfaceObject", False)
        )
        for row in map(_arguments, _directives(node, "join__type"))
    ]
    read = Type(node.name.value, kind, rows, _is_inaccessible(node))
    if kind in ("object", "interface"):
        read.interfaces = [interface.name.value for interface in node.interfaces or ()]
        rows_of = map(_arguments, _directives(node, "join__implements"))
        read.implements = {(row["graph"], row["interface"]) for row in rows_of}
        read.fields = {f.name.value: _read_field(f) for f in node.fields or ()}
    elif kind == "union":
        for row in map(_arguments, _directives(node, "join__unionMember")):
            read.members.setdefault(row["graph"], set()).add(row["member"])
        if not read.members:
            everyone = {member.name.value for member in node.types or ()}
            read.members = {graph: set(everyone) for graph in read.graphs}
    elif kind == "enum":
        for value in node.values or ():
            in_graphs = {_arguments(row)["graph"] for row in _directives(value, "join__enumValue")}
            read.values[value.name.value] = (frozenset(in_graphs) or None, _is_inaccessible(value))
    elif kind == "input":
        read.inputs = {f.name.value: _read_argument(f) for f in node.fields or ()}
    return read


def _read_field(node: FieldDefinitionNode) -> Field:
    rows = tuple(
        FieldRow(
            row.get("graph"),
            row.get("type"),
            row.get("external", False),
            row.get("requires"),
            row.get("provides"),
            row.get("override"),
            row.get("overrideLabel"),
            row.get("usedOverridden", False),
        )
        for row in map(_arguments, _directives(node, "join__field"))
    )
    arguments = tuple(map(_read_argument, node.arguments or ()))
    return Field(node.name.value, node.type, arguments, rows, _is_inaccessible(node))


def _read_argument(node: InputValueDefinitionNode) -> Argument:
    graphs = {_arguments(row).get("graph") for row in _directives(node, "join__field")}
    return Argument(
        node.name.value, node, frozenset(g for g in graphs if g) if graphs else None, _is_inaccessible(node)
    )


def _is_inaccessible(node: Any) -> bool:
    return bool(_directives(node, "inaccessible"))


def _directives(node: Any, name: str) -> list[ConstDirectiveNode]:
    return [directive for directive in node.directives or () if directive.name.value == name]


def _arguments(directive: ConstDirectiveNode) -> dict[str, Any]:
    return {
        argument.name.value: value_from_ast_untyped(argument.value) for argument in directive.arguments or ()
    }
