"""Turns the chosen paths into fetches: what to ask of which subgraph, where it lands, and what must be there before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from trivium_federation.operation.selection import SelectedField, Selection
from trivium_federation.planner.paths import Path, Place
from trivium_federation.supergraph.model import Supergraph, TypeRef

CanJoin = Callable[["Fetch"], bool]


class Output:
    """What a fetch asks for at one place: fields by key, and fragments by concrete type."""

    __slots__ = (
        "arguments",
        "fields",
        "fragments",
        "is_composite",
        "key",
        "name",
        "place",
        "type",
        "variables",
        "wants_typename",
    )

    def __init__(self, place: Place, *, wants_typename: bool = False) -> None:
        self.place = place
        self.wants_typename = wants_typename
        self.is_composite = True
        self.name = self.key = self.arguments = ""
        self.variables: tuple[str, ...] = ()
        self.type: TypeRef | None = None
        self.fields: dict[str, Output] = {}
        self.fragments: dict[str, Output] = {}

    def add(
        self, field: SelectedField, type: TypeRef, place: Place, *, is_composite: bool, wants_typename: bool
    ) -> Output:
        """The output of a field below this one, made if it is new."""
        found = self.fields.get(field.key)
        if found is None:
            found = self.fields[field.key] = Output(place, wants_typename=wants_typename)
            found.name, found.key, found.type = field.name, field.key, type
            found.arguments, found.variables = field.arguments, field.variables
            found.is_composite = is_composite
        return found

    def fragment(self, concrete: str, place: Place) -> Output:
        """The output for values of one concrete type, made if it is new."""
        found = self.fragments.get(concrete)
        if found is None:
            found = self.fragments[concrete] = Output(place)
        return found

    def all_variables(self) -> set[str]:
        """The client's variables that the text of this output mentions."""
        found = set(self.variables)
        for child in (*self.fields.values(), *self.fragments.values()):
            found |= child.all_variables()
        return found


@dataclass(slots=True, eq=False)
class Fetch:
    """One root selection or one look-up of entities. `parents` must be merged before this can start."""

    graph: str
    section: int
    place: Place
    entity_type: str
    output: Output
    key: Selection | None = None
    requires: list[Selection] = field(default_factory=list)
    parents: set[Fetch] = field(default_factory=set)
    reasons: dict[str, None] = field(default_factory=dict)
    index: int = 0

    def depends_on(self, other: Fetch) -> bool:
        """Whether `other` must run before this one, directly or not."""
        stack, seen = [*self.parents], set(self.parents)
        while stack:
            fetch = stack.pop()
            if fetch is other:
                return True
            new = fetch.parents - seen
            seen |= new
            stack += new
        return False


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a path stands: a fetch, the output there, and fetches that tell the type of a value on the way."""

    fetch: Fetch
    output: Output
    filters: frozenset[Fetch]


class FetchBuilder:
    """Inserts paths one by one; fetches with the same subgraph, place and type are one unless that makes a cycle."""

    def __init__(self, supergraph: Supergraph) -> None:
        self._supergraph = supergraph
        self._by_identity: dict[tuple[int, str, Place, str], list[Fetch]] = {}
        self._spots: dict[Path, _Spot] = {}
        self.fetches: list[Fetch] = []
        self.section = 0

    def insert(self, path: Path) -> _Spot:
        """Make sure that everything on `path` is fetched."""
        spot = self._spots.get(path)
        if spot is None:
            spot = self._spots[path] = self._insert(path)
        return spot

    def next_section(self) -> None:
        """Fetches inserted from now on start after all earlier ones are done."""
        self.section += 1
        self._spots.clear()

    def _insert(self, path: Path) -> _Spot:
        if path.prev is None:
            return self._root(path)
        if path.kind == "hop":
            return self._entity(path, self.insert(path.prev))
        spot = self.insert(path.prev)
        if path.kind == "narrow":
            return self._narrow(path, spot)
        if path.kind == "filter":
            tellers = {self.insert(need).fetch for need in path.needs}
            return _Spot(spot.fetch, spot.output, spot.filters | (tellers - {spot.fetch}))
        return self._field(path, spot)

    def _root(self, path: Path) -> _Spot:
        fetch = self._find(path, "", lambda _: True)
        return _Spot(fetch, fetch.output, frozenset())

    def _narrow(self, path: Path, spot: _Spot) -> _Spot:
        node = path.at()
        if path.prev is not None and path.prev.node is node:
            return spot  # the subgraph's own type is this one already
        return _Spot(spot.fetch, spot.output.fragment(node.info.name, path.place), spot.filters)

    def _field(self, path: Path, spot: _Spot) -> _Spot:
        assert path.field is not None  # noqa: S101 - paths of this kind always have both
        assert path.edge is not None  # noqa: S101
        node = path.node
        is_abstract = node is not None and self._supergraph.types[path.place.type].is_abstract
        wants_typename = is_abstract and node is not None and not node.is_interface_object
        output = spot.output.add(
            path.field,
            path.edge.type,
            path.place,
            is_composite=node is not None,
            wants_typename=wants_typename,
        )
        return _Spot(spot.fetch, output, spot.filters)

    def _entity(self, path: Path, spot: _Spot) -> _Spot:
        hop = path.hop
        assert hop is not None  # noqa: S101 - paths of this kind always have one
        known = self._known_entity(path, hop.representation_type)
        needs = path.needs
        if known is not None and path.requires is None:
            return _Spot(known, known.output, frozenset())
        providers = {spot.fetch} | spot.filters
        for need in needs:
            provider = self.insert(need)
            providers |= {provider.fetch} | provider.filters

        def can_join(fetch: Fetch) -> bool:
            if fetch in providers or any(p.depends_on(fetch) for p in providers):
                return False
            added = [path.requires] if path.requires is not None else []
            return can_share([*fetch.requires, *added])

        fetch = self._find(path, hop.representation_type if hop.key is not None else "", can_join)
        fetch.parents |= providers
        if fetch.key is None:
            fetch.key = path.key
        if path.requires is not None and path.requires not in fetch.requires:
            fetch.requires.append(path.requires)
        if path.reason:
            fetch.reasons[path.reason] = None
        return _Spot(fetch, fetch.output, frozenset())

    def _known_entity(self, path: Path, type_name: str) -> Fetch | None:
        """A plain hop joins any fetch of the same entity: what that one waits for is waited for anyway."""
        for fetch in self._by_identity.get((self.section, path.at().graph, path.place, type_name), ()):
            return fetch
        return None

    def _find(self, path: Path, type_name: str, can_join: CanJoin) -> Fetch:
        identity = self.section, path.at().graph, path.place, type_name
        known = self._by_identity.setdefault(identity, [])
        for fetch in known:
            if can_join(fetch):
                return fetch
        node = path.at()
        wants_typename = bool(type_name) and node.is_abstract
        output = Output(path.place, wants_typename=wants_typename)
        fetch = Fetch(node.graph, self.section, path.place, type_name, output, index=len(self.fetches))
        known.append(fetch)
        self.fetches.append(fetch)
        return fetch


def can_share(inputs: Iterable[Selection]) -> bool:
    """Whether one representation can carry all of `inputs`: no field may be needed with two sets of arguments."""
    merged: dict[str, str] = {}
    children: dict[str, list[Selection]] = {}
    for selection in inputs:
        groups = [selection.fields, *selection.by_type.values()]
        for wanted in (f for fields in groups for f in fields.values()):
            if merged.setdefault(wanted.name, wanted.key) != wanted.key:
                return False
            if wanted.selection is not None:
                children.setdefault(wanted.key, []).append(wanted.selection)
    return all(can_share(nested) for nested in children.values())
