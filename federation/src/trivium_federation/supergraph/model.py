"""The supergraph as plain tables, made once per supergraph and never changed. Knows nothing of operations or plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TypeKind = Literal["object", "interface", "union", "enum", "scalar", "input"]


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A GraphQL type reference: a named type, or a list of another reference (`item`)."""

    name: str
    non_null: bool
    item: TypeRef | None = None

    def __str__(self) -> str:
        text = f"[{self.item}]" if self.item is not None else self.name
        return f"{text}!" if self.non_null else text

    @property
    def is_list(self) -> bool:
        """Whether values of this reference are lists."""
        return self.item is not None


@dataclass(frozen=True, slots=True)
class Subgraph:
    """One subgraph: `id` is its value of the `join__Graph` enum, `name` what people call it."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Key:
    """A `@key` of a type in one subgraph, as its field set text."""

    fields: str
    is_resolvable: bool


@dataclass(frozen=True, slots=True)
class JoinType:
    """What one subgraph says of a type."""

    keys: tuple[Key, ...]
    is_interface_object: bool


@dataclass(frozen=True, slots=True)
class JoinField:
    """What one subgraph says of a field."""

    type: TypeRef
    is_external: bool = False
    is_overridden: bool = False
    requires: str | None = None
    provides: str | None = None
    override_from: str | None = None
    override_label: str | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument or an input field, as the supergraph declares it."""

    name: str
    type: TypeRef
    has_default: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object or interface; `joins` has an entry for each subgraph that declares it."""

    name: str
    type: TypeRef
    arguments: tuple[Argument, ...]
    joins: dict[str, JoinField]
    is_inaccessible: bool
    cost_weight: int | None = None


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A type of the supergraph. Only the tables that its kind needs are filled."""

    name: str
    kind: TypeKind
    joins: dict[str, JoinType]
    is_inaccessible: bool
    fields: dict[str, Field]
    interfaces: dict[str, frozenset[str]]
    members: dict[str, frozenset[str]]
    enum_values: frozenset[str]
    input_fields: dict[str, Argument]

    @property
    def is_abstract(self) -> bool:
        """Whether values of the type are values of another, concrete, type."""
        return self.kind in ("interface", "union")

    @property
    def is_composite(self) -> bool:
        """Whether fields of this type need a selection."""
        return self.kind in ("object", "interface", "union")


@dataclass(frozen=True, slots=True)
class Supergraph:
    """All tables. `possible_types` maps an abstract type to its concrete types over all subgraphs, in SDL order."""

    subgraphs: dict[str, Subgraph]
    types: dict[str, TypeInfo]
    possible_types: dict[str, tuple[str, ...]]
    root_types: dict[str, str]
    override_labels: frozenset[str]
    fieldset_names: frozenset[str]

    def always_applies(self, type_name: str, condition: str) -> bool:
        """Whether the fields of a fragment on `condition` may be asked of `type_name` itself, for all its values."""
        if type_name == condition:
            return True
        if condition in self.types[type_name].interfaces:
            return True
        return self.types[condition].kind == "union" and (
            set(self.possible_of(type_name)) <= set(self.possible_of(condition))
        )

    def possible_of(self, name: str) -> tuple[str, ...]:
        """The concrete types of `name`; a concrete type is its own only one."""
        return self.possible_types.get(name) or (name,)

    def concrete_in(self, abstract: str, graph: str) -> tuple[str, ...]:
        """The concrete types that `graph` itself knows for `abstract`, in SDL order."""
        info = self.types[abstract]
        if info.kind == "union":
            return tuple(m for m in self.possible_types[abstract] if graph in info.members.get(m, ()))
        return tuple(
            t
            for t in self.possible_types.get(abstract, ())
            if graph in self.types[t].interfaces.get(abstract, ())
        )
