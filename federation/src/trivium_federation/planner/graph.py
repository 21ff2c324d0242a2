"""Who can resolve what: a type seen in one subgraph is a node, its fields and type narrowings are edges.

Entity hops are edges between nodes of one position; they carry what the fetch needs as input, not how it is sent.
Nodes are made on demand and kept for the life of the supergraph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from trivium_federation.operation.normalise import Normaliser
from trivium_federation.operation.selection import TYPENAME, KeySpace, Selection
from trivium_federation.supergraph.fieldsets import parse_fieldset
from trivium_federation.supergraph.model import JoinField, Supergraph, TypeInfo, TypeRef


@dataclass(frozen=True, slots=True)
class FieldEdge:
    """A field that `node`'s subgraph resolves. `target` is None for leaves; `requires` is the field set it needs first."""

    type: TypeRef
    target: Node | None
    requires: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Hop:
    """A way to look an entity up in another subgraph. `key` is None for the query root, which needs no input."""

    target: Node
    key: str | None
    representation_type: str


class Node:
    """A type as one subgraph knows it; `provided` names fields that it resolves only on the way here (@provides)."""

    def __init__(self, schema: SchemaGraph, info: TypeInfo, graph: str, provided: Selection | None) -> None:
        self._schema = schema
        self._fields: dict[str, FieldEdge | None] = {}
        self.info = info
        self.graph = graph
        self.provided = provided
        joined = info.joins.get(graph)
        self.is_interface_object = joined is not None and joined.is_interface_object
        self.is_abstract = info.is_abstract and not self.is_interface_object

    def __repr__(self) -> str:
        return f"{self.info.name}/{self.graph}{'*' if self.provided else ''}"

    def field(self, name: str) -> FieldEdge | None:
        """The edge of field `name`, or None if this subgraph cannot resolve it here."""
        if name not in self._fields:
            self._fields[name] = self._find_field(name)
        return self._fields[name]

    def narrow(self, concrete: str) -> Node | None:
        """The node for values of type `concrete`, or None if none can be found here."""
        if self.info.name == concrete or self.is_interface_object:
            return self
        if concrete not in self.concrete_types:
            return None
        provided = self.provided
        if provided is not None:
            provided = Selection(concrete, {**provided.fields, **provided.by_type.get(concrete, {})})
        return self._schema.node(concrete, self.graph, provided)

    @cached_property
    def concrete_types(self) -> tuple[str, ...]:
        """The concrete types that a value here may have."""
        if self.is_interface_object:
            return self._schema.supergraph.possible_of(self.info.name)
        if not self.is_abstract:
            return (self.info.name,)
        return self._schema.supergraph.concrete_in(self.info.name, self.graph)

    def _find_field(self, name: str) -> FieldEdge | None:
        if name == TYPENAME:
            return None if self.is_interface_object else FieldEdge(TypeRef("String", non_null=True), None)
        field = self.info.fields.get(name)
        row = field.joins.get(self.graph) if field is not None else None
        if row is None:
            return None
        given = self._provided_field(name)
        if given is not None:
            return self._edge(row, given, requires=None)
        if not self._schema.resolves(row) or not self._is_uniform(name):
            return None
        provides = self._schema.fieldset(row.type.name, row.provides) if row.provides else None
        return self._edge(row, provides, row.requires)

    def _provided_field(self, name: str) -> Selection | None:
        for field in self.provided.fields.values() if self.provided is not None else ():
            if field.name == name:
                return field.selection or Selection("")
        return None

    def _is_uniform(self, name: str) -> bool:
        """An interface field counts only if every implementation in this subgraph resolves it without further input."""
        if not self.is_abstract:
            return True
        for concrete in self.concrete_types:
            node = self._schema.node(concrete, self.graph, None)
            edge = node.field(name)
            if edge is None or edge.requires is not None:
                return False
        return True

    def _edge(self, row: JoinField, provided: Selection | None, requires: str | None) -> FieldEdge:
        target = None
        if self._schema.supergraph.types[row.type.name].is_composite:
            has_provided = provided is not None and not provided.is_empty
            target = self._schema.node(row.type.name, self.graph, provided if has_provided else None)
        return FieldEdge(row.type, target, requires)


class SchemaGraph:
    """All nodes and hops of a supergraph, for one set of active override labels."""

    def __init__(self, supergraph: Supergraph, active_labels: frozenset[str] = frozenset()) -> None:
        self.supergraph = supergraph
        self._labels = active_labels
        self._nodes: dict[tuple[str, str, tuple[object, ...] | None], Node] = {}
        self._hops: dict[str, tuple[Hop, ...]] = {}
        self._fieldsets: dict[tuple[str, str], Selection] = {}

    def node(self, type_name: str, graph: str, provided: Selection | None = None) -> Node:
        """The one node for these arguments. Views with equal content are one node, so that the graph stays finite."""
        memo = type_name, graph, None if provided is None else _signature(provided)
        found = self._nodes.get(memo)
        if found is None:
            found = self._nodes[memo] = Node(self, self.supergraph.types[type_name], graph, provided)
        return found

    def fieldset(self, type_name: str, text: str) -> Selection:
        """A field set without plan-specific keys, for views of @provides."""
        memo = type_name, text
        if memo not in self._fieldsets:
            normaliser = Normaliser(self.supergraph, {}, {}, KeySpace())
            self._fieldsets[memo] = normaliser.select(type_name, [parse_fieldset(text)])
        return self._fieldsets[memo]

    def resolves(self, row: JoinField) -> bool:
        """Whether the subgraph of `row` resolves the field itself, given the active override labels."""
        if row.is_external and row.requires is None:
            return False
        if row.override_label is not None:
            return (row.override_label in self._labels) == (row.override_from is not None)
        return not row.is_overridden

    def root_nodes(self, operation: str) -> list[Node]:
        """The entry nodes of an operation kind, one for each subgraph that declares the root type."""
        name = self.supergraph.root_types[operation]
        return [self.node(name, graph) for graph in self.supergraph.types[name].joins]

    def hops(self, type_name: str) -> tuple[Hop, ...]:
        """Every look-up that yields a value of `type_name`, in SDL order."""
        if type_name not in self._hops:
            self._hops[type_name] = tuple(self._find_hops(type_name))
        return self._hops[type_name]

    def _find_hops(self, type_name: str) -> list[Hop]:
        info = self.supergraph.types[type_name]
        if type_name == self.supergraph.root_types["query"]:
            return [Hop(node, None, type_name) for node in self.root_nodes("query")]
        found = self._key_hops(info)
        for interface in info.interfaces if info.kind == "object" else ():
            owner = self.supergraph.types[interface]
            found += [hop for hop in self._key_hops(owner) if hop.target.is_interface_object]
        return found

    def _key_hops(self, info: TypeInfo) -> list[Hop]:
        return [
            Hop(self.node(info.name, graph), key.fields, info.name)
            for graph, joined in info.joins.items()
            for key in joined.keys
            if key.is_resolvable
        ]


def _signature(selection: Selection) -> tuple[object, ...]:
    def of(fields: dict[str, object]) -> tuple[object, ...]:
        return tuple(fields.items())

    return (
        selection.type,
        of({k: _signature(f.selection) if f.selection else None for k, f in selection.fields.items()}),
        of({t: _signature(Selection(t, fs)) for t, fs in selection.by_type.items()}),
    )
