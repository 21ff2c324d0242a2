"""A path says how a value is reached: through which subgraph, field by field and hop by hop. Paths share their beginnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trivium_federation.operation.selection import SelectedField, Selection
from trivium_federation.planner.graph import FieldEdge, Hop, Node

HOP_COST = 1000
PathKind = Literal["root", "field", "narrow", "filter", "hop"]
# A request is one subgraph at one depth of the plan: what many hops share costs once.
HopId = tuple[str, int, "Place", str]


class Place:
    """A place in the merged data: a root, a field's key below another place, or a place narrowed to one type."""

    __slots__ = ("_children", "key", "narrowed_to", "parent", "type")

    def __init__(self, type: str, parent: Place | None = None, key: str = "", narrowed_to: str = "") -> None:
        self.type = type
        self.parent = parent
        self.key = key
        self.narrowed_to = narrowed_to
        self._children: dict[tuple[str, str], Place] = {}

    def child(self, key: str, type: str) -> Place:
        """The place of field `key` below this one."""
        found = self._children.get((key, ""))
        if found is None:
            found = self._children[key, ""] = Place(type, self, key)
        return found

    def narrow(self, concrete: str) -> Place:
        """This place, for values of type `concrete` only."""
        if concrete in (self.type, self.narrowed_to):
            return self
        found = self._children.get(("", concrete))
        if found is None:
            found = self._children["", concrete] = Place(concrete, self, narrowed_to=concrete)
        return found

    def steps(self) -> list[Place]:
        """The places from the root (not included) to this one."""
        found: list[Place] = []
        place: Place | None = self
        while place is not None and place.parent is not None:
            found.append(place)
            place = place.parent
        return found[::-1]

    def __str__(self) -> str:
        parts = [f"|[{p.narrowed_to}]" if p.narrowed_to else f".{p.key}" for p in self.steps()]
        return "".join(parts).lstrip(".")


@dataclass(slots=True, eq=False)
class Path:
    """One way to a value (`node` set) or to a leaf (`node` None).

    `needs` are the leaves that must be known before a hop or a filter; `requires` are field sets beyond the key.
    """

    kind: PathKind
    place: Place
    node: Node | None
    cost: int
    prev: Path | None = None
    field: SelectedField | None = None
    edge: FieldEdge | None = None
    hop: Hop | None = None
    key: Selection | None = None
    requires: Selection | None = None
    needs: tuple[Path, ...] = ()
    hops: frozenset[HopId] = frozenset()
    depth: int = 0
    reason: str = ""

    def at(self) -> Node:
        """The node of a path that is not a leaf."""
        if self.node is None:
            raise ValueError("a leaf has no node")
        return self.node


def root_path(node: Node, place: Place) -> Path:
    """Enter `node`'s subgraph with a request of its own."""
    hops = frozenset([(node.graph, 0, place, "")])
    return Path("root", place, node, HOP_COST, hops=hops)


def field_path(prev: Path, field: SelectedField, edge: FieldEdge, type_name: str) -> Path:
    """Select a field where `prev` stands."""
    place = prev.place.child(field.key, type_name)
    return Path(
        "field", place, edge.target, prev.cost + 1, prev, field, edge, hops=prev.hops, depth=prev.depth
    )


def narrow_path(prev: Path, concrete: str, node: Node) -> Path:
    """Go on with values of one concrete type, which the subgraph tells apart."""
    place = prev.place.narrow(concrete)
    return Path("narrow", place, node, prev.cost, prev, hops=prev.hops, depth=prev.depth)


def filter_path(prev: Path, concrete: str, typename: Path) -> Path:
    """Go on with values of one concrete type where the subgraph cannot tell: `typename` brings the answer."""
    hops = prev.hops | typename.hops
    cost = prev.cost + max(0, typename.cost - prev.cost)
    depth = max(prev.depth, typename.depth)
    place = prev.place.narrow(concrete)
    return Path("filter", place, prev.node, cost, prev, needs=(typename,), hops=hops, depth=depth)


def hop_path(
    prev: Path,
    hop: Hop,
    key: Selection | None,
    requires: Selection | None,
    needs: tuple[Path, ...],
    reason: str,
) -> Path:
    """Look the entity up in another subgraph (or again in the same), once `needs` are known."""
    depth = 1 + max([prev.depth, *(n.depth for n in needs)])
    extra = sum(max(1, n.cost - prev.cost) for n in needs)
    identity: HopId = (hop.target.graph, depth, prev.place, hop.representation_type)
    hops = frozenset([identity]).union(prev.hops, *(n.hops for n in needs))
    return Path(
        "hop",
        prev.place,
        hop.target,
        prev.cost + HOP_COST + extra,
        prev,
        hop=hop,
        key=key,
        requires=requires,
        needs=needs,
        hops=hops,
        depth=depth,
        reason=reason,
    )
