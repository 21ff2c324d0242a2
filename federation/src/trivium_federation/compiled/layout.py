"""Lays the data of one plan out as positions with fixed fields, and finds who fills each field.

Raises `Unsupported` for plans whose data has no fixed layout; the interpreter runs those.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trivium_federation.execute.response_shape import FieldKind, Nodes, ResponseShape
from trivium_federation.planner.fetches import Output
from trivium_federation.planner.paths import Place
from trivium_federation.planner.plan import FetchPlan, InputField, Slot
from trivium_federation.supergraph.model import Supergraph, TypeRef

PathKey = tuple[str, ...]
# A request and the slot of its answer.
Provider = tuple[int, int]


class Unsupported(Exception):
    """The plan cannot be compiled; the message says why."""


@dataclass(slots=True, eq=False)
class LaidField:
    """One field of a position. `response_key` is None for what only other fetches need."""

    key: str
    response_key: str | None
    type: TypeRef
    kind: FieldKind
    child: LaidPosition | None = None
    providers: list[Provider] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class LaidPosition:
    """All objects at one place. `owner` is the slot whose answer brings them; `is_listed`: they are looked at again."""

    path: PathKey
    type_name: str
    owner: Provider | None
    fields: dict[str, LaidField] = field(default_factory=dict)
    is_listed: bool = False
    number: int = 0

    def internal(self) -> list[LaidField]:
        """The fields that the client must not see."""
        return [f for f in self.fields.values() if f.response_key is None]

    def signature(self) -> tuple[object, ...]:
        """Positions with equal signatures have the same Struct."""
        return (
            self.type_name,
            tuple(
                (
                    f.key,
                    f.response_key,
                    str(f.type),
                    self.owner in f.providers,
                    f.child.signature() if f.child is not None else None,
                )
                for f in self.fields.values()
            ),
        )


class Layout:
    """The positions of a plan, by path. `same_as` maps positions to the one that stands for equal ones of a slot."""

    def __init__(self, supergraph: Supergraph, plan: FetchPlan, shape: ResponseShape) -> None:
        self._supergraph = supergraph
        self._shape = shape
        self.positions: dict[PathKey, LaidPosition] = {}
        self.same_as: dict[PathKey, PathKey] = {}
        self.root = self._client_position((), shape.root_type, shape.root_nodes)
        for request in plan.requests:
            for number, slot in enumerate(request.slots):
                self._check(slot)
                for place in slot.places:
                    self._provide(_path(place), slot.output, (request.index, number))
        self._settle_owners(self.root)
        for request in plan.requests:
            for number, slot in enumerate(request.slots):
                self._list_targets(slot, (request.index, number))
        for position in self.positions.values():
            position.is_listed = position.is_listed or bool(position.internal())

    def at(self, place: Place) -> LaidPosition:
        """The position of a place."""
        return self.positions[_path(place)]

    def canonical(self, position: LaidPosition) -> LaidPosition:
        """The position whose list holds this one's objects."""
        return self.positions[self.same_as.get(position.path, position.path)]

    # -- inside -------------------------------------------------------------------------------------------------

    def _client_position(self, path: PathKey, type_name: str, nodes: Nodes) -> LaidPosition:
        position = LaidPosition(path, type_name, None, number=len(self.positions))
        self.positions[path] = position
        for wanted in self._shape.fields(type_name, nodes):
            if wanted.kind == "abstract":
                raise Unsupported(f"{wanted.parent}.{wanted.name} is of an abstract type")
            if wanted.kind == "typename":
                key = f"typename {wanted.response_key}"
                position.fields[key] = LaidField(key, wanted.response_key, wanted.type, "typename")
                continue
            if wanted.kind != "local" and wanted.key != wanted.response_key:
                raise Unsupported(f"{wanted.parent}.{wanted.name} is shown under several names")
            laid = LaidField(wanted.key, wanted.response_key, wanted.type, wanted.kind)
            position.fields[wanted.key] = laid
            if wanted.kind == "object":
                laid.child = self._client_position((*path, wanted.key), wanted.type.name, wanted.nodes)
        return position

    def _check(self, slot: Slot) -> None:
        if slot.renames is not None:
            raise Unsupported("an answer needs renaming")
        if slot.representation is None and slot.places[0].parent is not None:
            raise Unsupported("the query root is entered again")

    def _provide(self, path: PathKey, output: Output, provider: Provider) -> None:
        if output.fragments or output.wants_typename:
            raise Unsupported(f"the type at {'.'.join(path)} is not fixed")
        position = self.positions[path]
        for key, wanted in output.fields.items():
            laid = position.fields.get(key)
            if laid is None:
                laid = self._internal(position, path, key, wanted)
            laid.providers.append(provider)
            if laid.child is not None:
                self._provide((*path, key), wanted, provider)

    def _internal(self, position: LaidPosition, path: PathKey, key: str, wanted: Output) -> LaidField:
        declared = self._supergraph.types[position.type_name].fields[wanted.name].type
        info = self._supergraph.types[declared.name]
        if info.is_abstract:
            raise Unsupported(f"{position.type_name}.{wanted.name} is of an abstract type")
        laid = LaidField(key, None, declared, "object" if info.is_composite else "leaf")
        position.fields[key] = laid
        if info.is_composite:
            below = (*path, key)
            laid.child = self.positions[below] = LaidPosition(
                below, declared.name, None, number=len(self.positions)
            )
        return laid

    def _settle_owners(self, position: LaidPosition) -> None:
        for laid in position.fields.values():
            if laid.kind in ("typename", "local"):
                continue
            if not laid.providers:
                raise Unsupported(f"nothing fills {'.'.join(position.path)}.{laid.key}")
            if laid.child is None:
                continue
            if len(set(laid.providers)) > 1:
                raise Unsupported(f"{'.'.join(laid.child.path)} is merged from several answers")
            laid.child.owner = laid.providers[0]
            self._settle_owners(laid.child)

    def _list_targets(self, slot: Slot, provider: Provider) -> None:
        """Mark the places of a look-up; where it brings objects, all its places must want them in the same shape."""
        if slot.representation is None:
            return
        first = self.at(slot.places[0])
        for place in slot.places:
            position = self.at(place)
            position.is_listed = True
            if position is first:
                continue
            for key, laid in position.fields.items():
                if laid.child is not None and provider in laid.providers:
                    self._unite(first.fields[key].child, laid.child)

    def _unite(self, one: LaidPosition | None, other: LaidPosition) -> None:
        if one is None or one.signature() != other.signature():
            raise Unsupported(f"{'.'.join(other.path)} shares a look-up with a place of another shape")
        self.same_as[other.path] = one.path
        for key, laid in other.fields.items():
            if laid.child is not None:
                self._unite(one.fields[key].child, laid.child)


def flat_inputs(slot: Slot) -> tuple[tuple[InputField, ...], tuple[InputField, ...]]:
    """The key fields and the required fields of a look-up, if all are plain values."""
    if slot.representation is None:
        return (), ()
    key, requires = slot.representation.key, slot.representation.requires
    if key.by_type or requires.by_type:
        raise Unsupported("an input depends on the type of its object")
    for wanted in (*key.fields, *requires.fields):
        if wanted.children is not None:
            raise Unsupported(f"the input {wanted.name} is an object")
    names = {wanted.name for wanted in key.fields}
    return key.fields, tuple(f for f in requires.fields if f.name not in names)


def _path(place: Place) -> PathKey:
    if any(step.narrowed_to for step in place.steps()):
        raise Unsupported("a place is narrowed to one type")
    return tuple(step.key for step in place.steps())
