"""The data behind both sides: every value a pure function of (type, id, field, arguments, required values).

An entity has a few instances; any other object is named by the field that leads to it, so two subgraphs that resolve the
same field of the same object see the same object. A field with `@requires` hashes the values it was given: a wrong or
missing input shows in the answer.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    ListTypeNode,
    NonNullTypeNode,
    TypeNode,
    value_from_ast,
)
from graphql.execution.values import get_argument_values

from federation_fuzz.fieldsets import Selection, parse_fieldset
from federation_fuzz.supergraph import Supergraph, Type, is_built_in, named_type

INSTANCES = 3
_NULL_SHARE = 0.08
_ERROR_SHARE = 0.03


class FieldFailure(Exception):
    """A field that fails on purpose, on both sides alike."""


class UnusableSupergraph(Exception):
    """The data rules cannot be kept for this supergraph: a key is not unique, or a field has no possible type."""


@dataclass(slots=True)
class Node:
    """One object: its true type, its id, and (in a subgraph) what its representation or a `@provides` gave."""

    type: str
    id: str
    given: dict[str, Any] | None = None
    provided: tuple[Selection, ...] = ()


@dataclass(slots=True)
class Session:
    """State of one execution: mutations are numbered as they run, so a changed order or a repetition shows."""

    mutations: int = 0


@dataclass(slots=True)
class Data:
    """All values over one supergraph for one seed."""

    supergraph: Supergraph
    schema: GraphQLSchema  # every field and argument, the inaccessible ones too
    seed: int
    with_nulls: bool = True
    with_errors: bool = True
    pinned: set[tuple[str, str]] = field(default_factory=set)  # fields that keys need: never null
    steady: set[tuple[str, str]] = field(
        default_factory=set
    )  # fields that keys or requirements need: never failing
    subtypes: dict[str, set[str]] = field(default_factory=dict)
    _lookup: dict[tuple[str, str], dict[str, Node]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find out which fields keys and requirements need, and index the instances by every key."""
        for t in self.supergraph.types.values():
            if t.kind in ("object", "interface", "union"):
                self.subtypes[t.name] = {t.name, *self.supergraph.possible_types(t.name)}
        for t in self.supergraph.types.values():
            for row in t.rows:
                if row.key:
                    self._mark(t.name, parse_fieldset(row.key), self.pinned)
            for f in t.fields.values():
                for f_row in f.rows:
                    if f_row.requires:
                        self._mark(t.name, parse_fieldset(f_row.requires), self.steady)
        self.steady |= self.pinned
        for t in self.supergraph.types.values():
            for key in {row.key for row in t.rows if row.key}:
                self._index(t, key)

    def value(
        self, node: Node, field_name: str, args: Mapping[str, Any], required: Any, session: Session
    ) -> Any:
        """The value of a field: scalars as they are, objects as `Node`, lists of both.

        Raises: FieldFailure where the field fails on purpose.
        """
        order = 0
        if node.type == self.supergraph.roots.get("mutation"):
            session.mutations += 1
            order = session.mutations
        rng = self._rng(node.type, node.id, field_name, args, required, order)
        definition = self.supergraph.types[node.type].fields[field_name]
        wrapped = _Wrapped.of([definition.type, *self._types_in_graphs(node.type, field_name)])
        is_steady = (node.type, field_name) in self.steady
        if (
            self.with_errors
            and not is_steady
            and self._may_fail(node.type, field_name)
            and rng.random() < _ERROR_SHARE
        ):
            raise FieldFailure(f"{node.type}.{field_name} fails")
        return self._make(rng, wrapped, node, field_name)

    def required(self, node: Node, field_name: str, session: Session) -> Any:
        """What `@requires` of this field evaluates to over the true data, None where it has none in all graphs alike."""
        text = self.requires(node.type, field_name)
        return self.pick(node, parse_fieldset(text), session) if text else None

    def requires(self, type_name: str, field_name: str) -> str | None:
        """The one field set that every resolving graph requires, None where there is none or they differ."""
        views = [v for v in self.supergraph.views(type_name, field_name).values() if v.can_resolve]
        for interface in self.supergraph.types[type_name].interfaces:
            known = self.supergraph.types.get(interface)
            if known and field_name in known.fields:
                views += [
                    view
                    for graph, view in self.supergraph.views(interface, field_name).items()
                    if self.supergraph.is_interface_object(interface, graph) and view.can_resolve
                ]
        texts = {view.requires for view in views}
        return texts.pop() if len(texts) == 1 else None

    def pick(self, node: Node, selections: tuple[Selection, ...], session: Session) -> dict[str, Any]:
        """Evaluate a field set over the true data."""
        values: dict[str, Any] = {}
        for selection in selections:
            if selection.name == "__typename":
                continue
            if selection.name is None:
                if selection.on is None or node.type in self.subtypes.get(selection.on, ()):
                    values |= self.pick(node, selection.children, session)
                continue
            args = self.arguments(node.type, selection.name, selection.node)
            required = self.required(node, selection.name, session)
            value = self.value(node, selection.name, args, required, session)
            values[selection.name] = self._pick_below(value, selection.children, session)
        return values

    def arguments(self, type_name: str, field_name: str, node: FieldNode | None) -> dict[str, Any]:
        """Coerced arguments of a field in a field set."""
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        assert node is not None
        return get_argument_values(parent.fields[field_name], node)

    def hidden_defaults(self, type_name: str, field_name: str) -> dict[str, Any]:
        """Defaults of arguments that clients cannot see: the subgraph applies them, so the plain side must too."""
        parent = self.schema.type_map[type_name]
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        hidden = {}
        for argument in self.supergraph.types[type_name].fields[field_name].arguments:
            if argument.is_inaccessible and argument.node.default_value is not None:
                known = parent.fields[field_name].args[argument.name]
                hidden[argument.name] = value_from_ast(argument.node.default_value, known.type)
        return hidden

    def find(self, type_name: str, key: str, values: Any) -> Node | None:
        """The instance that has these key values, None for an unknown one."""
        return self._lookup[type_name, key].get(canonical(values))

    def instances(self, type_name: str) -> list[Node]:
        """Every instance of an entity type, or of all types behind an interface."""
        return [Node(t, str(i)) for t in self.supergraph.possible_types(type_name) for i in range(INSTANCES)]

    def possible_types(self, type_name: str, field_name: str) -> list[str]:
        """Object types that every graph resolving the field can return for it, and clients may see."""
        definition = self.supergraph.types[type_name].fields[field_name]
        names = set(self.supergraph.possible_types(named_type(definition.type)))
        for graph, view in self.supergraph.views(type_name, field_name).items():
            names &= set(self.supergraph.possible_types_in(named_type(view.type), graph))
        return sorted(name for name in names if not self.supergraph.types[name].is_inaccessible)

    def _pick_below(self, value: Any, children: tuple[Selection, ...], session: Session) -> Any:
        if isinstance(value, list):
            return [self._pick_below(item, children, session) for item in value]
        return self.pick(value, children, session) if isinstance(value, Node) else value

    def _types_in_graphs(self, type_name: str, field_name: str) -> list[TypeNode]:
        return [view.type for view in self.supergraph.views(type_name, field_name).values()]

    def _may_fail(self, type_name: str, field_name: str) -> bool:
        # Two cases where a failure would rightly show differently on the two sides:
        # - a graph that is stricter about null than the others: there a failure bubbles further;
        # - behind an interface object an entity may be asked before its true type is known, so that a field fails
        #   which the client did not ask of this type; where it cannot be null it takes its parent along.
        definition = self.supergraph.types[type_name].fields[field_name]
        shapes = {str(_shape(t)) for t in [definition.type, *self._types_in_graphs(type_name, field_name)]}
        return len(shapes) == 1 and not ("!" in shapes.pop() and self.supergraph.has_interface_objects)

    def _make(self, rng: random.Random, wrapped: "_Wrapped", node: Node, field_name: str) -> Any:
        can_be_null = not wrapped.is_required and (node.type, field_name) not in self.pinned
        if can_be_null and self.with_nulls and rng.random() < _NULL_SHARE:
            return None
        if wrapped.item:
            size = rng.choice((0, 1, 2, 2, 3))
            return [self._make(rng, wrapped.item, node, field_name) for _ in range(size)]
        return self._make_named(rng, wrapped, node, field_name)

    def _make_named(self, rng: random.Random, wrapped: "_Wrapped", node: Node, field_name: str) -> Any:
        name = wrapped.name
        known = self.supergraph.types.get(name)
        if is_built_in(name) or known is None or known.kind == "scalar":
            return self._make_scalar(rng, name, node, field_name)
        if known.kind == "enum":
            return rng.choice(self._shared_values(known))
        possible = self.possible_types(node.type, field_name)
        if not possible:
            if wrapped.is_required:
                raise FieldFailure(f"{node.type}.{field_name} has no type that all graphs know")
            return None
        chosen = rng.choice(possible)
        if chosen in self.supergraph.roots.values():
            return Node(chosen, "root")
        if self.supergraph.is_entity(chosen):
            # A key made of another entity's key must stay unique: instance i leads to instance i.
            index = node.id if (node.type, field_name) in self.pinned else str(rng.randrange(INSTANCES))
            return Node(chosen, index)
        return Node(chosen, f"{rng.getrandbits(48):x}")

    def _make_scalar(self, rng: random.Random, name: str, node: Node, field_name: str) -> Any:
        if (node.type, field_name) in self.pinned and self.supergraph.is_entity(node.type):
            number = int(node.id) if node.id.isdigit() else rng.randrange(10**6)
            index = list(self.supergraph.types).index(node.type)
            if name == "Int":
                return index * 1000 + number
            if name in ("ID", "String"):
                return f"{node.type}-{field_name}-{number}"
        if name == "Int":
            return rng.randrange(-1000, 10**6)
        if name == "Float":
            return rng.randrange(10**6) + 0.5
        if name == "Boolean":
            return rng.random() < 0.5
        text = f"{node.type}.{field_name}:{rng.randrange(10**6)}"
        if name in ("ID", "String"):
            return text if rng.random() < 0.9 else text + ' "\\ é\u2028 \U0001f600'
        return rng.choice([text, 7, {"b": [1, None, {"c": text}], "a": 2.5}, ["x", True]])

    def _shared_values(self, enum: Type) -> list[str]:
        everywhere = [
            value
            for value, (graphs, is_inaccessible) in enum.values.items()
            if not is_inaccessible and (graphs is None or graphs >= set(enum.graphs))
        ]
        if not everywhere:
            raise FieldFailure(f"{enum.name} has no value that all graphs know")
        return everywhere

    def _rng(self, *parts: Any) -> random.Random:
        digest = blake2b(canonical([self.seed, *parts]).encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def _mark(self, type_name: str, selections: tuple[Selection, ...], marked: set[tuple[str, str]]) -> None:
        for selection in selections:
            if selection.name is None:
                self._mark(selection.on or type_name, selection.children, marked)
                continue
            for concrete in {type_name, *self.supergraph.possible_types(type_name)}:
                definition = self.supergraph.types[concrete].fields.get(selection.name)
                if definition:
                    marked.add((concrete, selection.name))
                    if selection.children:
                        self._steady_whole(named_type(definition.type))
                    self._mark(named_type(definition.type), selection.children, marked)

    def _steady_whole(self, type_name: str) -> None:
        """No field that takes its object along may fail where keys or requirements read the object.

        One request asks for what the client and the requirement want of it. Where such a failure nulls it, the
        requirement loses its input, while the plain side computes that by itself (docs/federation.md).
        """
        for concrete in {type_name, *self.supergraph.possible_types(type_name)}:
            for name, definition in self.supergraph.types[concrete].fields.items():
                if any(
                    isinstance(t, NonNullTypeNode)
                    for t in [definition.type, *self._types_in_graphs(concrete, name)]
                ):
                    self.steady.add((concrete, name))

    def _index(self, t: Type, key: str) -> None:
        table: dict[str, Node] = {}
        for node in self.instances(t.name):
            try:
                values = canonical(self.pick(node, parse_fieldset(key), Session()))
            except FieldFailure as failure:
                raise UnusableSupergraph(f"key {key!r} of {t.name}: {failure}") from failure
            if values in table:
                raise UnusableSupergraph(f"key {key!r} of {t.name} is not unique")
            table[values] = node
        self._lookup[t.name, key] = table


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """A type reference merged over all graphs: non-null where any of them is."""

    is_required: bool
    item: "_Wrapped | None"
    name: str

    @classmethod
    def of(cls, types: list[TypeNode]) -> "_Wrapped":
        is_required = any(isinstance(t, NonNullTypeNode) for t in types)
        inner = [t.type if isinstance(t, NonNullTypeNode) else t for t in types]
        if isinstance(inner[0], ListTypeNode):
            return cls(is_required, cls.of([t.type for t in inner if isinstance(t, ListTypeNode)]), "")
        return cls(is_required, None, named_type(inner[0]))


def canonical(value: Any) -> str:
    """JSON with sorted keys: equal values, equal text."""
    return json.dumps(value, sort_keys=True, default=str)


def _shape(node: TypeNode) -> Any:
    if isinstance(node, NonNullTypeNode):
        return ("!", _shape(node.type))
    if isinstance(node, ListTypeNode):
        return ("[", _shape(node.type))
    return named_type(node)
