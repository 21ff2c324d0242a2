"""Searches all subgraphs at once for the ways to each leaf of a selection.

A position is a place with every cheapest path that arrives there, one per node, so that a value that only a detour
can reach is found without backtracking. Each leaf of the selection becomes a `Choice` between its ways.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from trivium_federation.errors import PlanningError
from trivium_federation.operation.normalise import Normaliser
from trivium_federation.operation.selection import TYPENAME, SelectedField, Selection, add_field
from trivium_federation.planner.graph import Hop, Node, SchemaGraph
from trivium_federation.planner.paths import (
    HOP_COST,
    Path,
    Place,
    field_path,
    filter_path,
    hop_path,
    narrow_path,
)
from trivium_federation.planner.positions import Choice, Position, cheapest_per_node
from trivium_federation.supergraph.fieldsets import parse_fieldset

__all__ = ["Choice", "Position", "Search"]

# Requirements of requirements: deeper nesting than this is taken for unreachable.
_MAX_NESTING = 5


class Search:
    """One search over one operation. Work is bounded by `max_positions` and `deadline` (monotonic seconds)."""

    def __init__(
        self, graph: SchemaGraph, normaliser: Normaliser, *, max_positions: int, deadline: float
    ) -> None:
        self._graph = graph
        self._supergraph = graph.supergraph
        self._normaliser = normaliser
        self._budget = max_positions
        self._deadline = deadline
        self._requiring: set[tuple[Place, Node, str]] = set()
        self._trials = 0

    # -- selections ---------------------------------------------------------------------------------------------

    def find_choices(self, position: Position, selection: Selection) -> list[Choice]:
        """The choices for every leaf below `position`. Raises: PlanningError if one has no way at all."""
        self._spend()
        if self._supergraph.types[position.type].is_abstract:
            choices = self._abstract(position, selection)
        else:
            choices = self._fields(position, _fields_for(selection, position.type))
        if not choices:
            choices = [Choice(position.arrivals)]
        return choices

    def child(self, position: Position, field: SelectedField) -> Position | None:
        """The position of a composite field below `position`, or None if no subgraph resolves the field."""
        type_name = self._field_type(position, field.name)
        arrivals = self._field_paths(position, field, type_name, is_leaf=False)
        if not arrivals:
            return None
        return Position(position.place.child(field.key, type_name), type_name, arrivals, position.nesting)

    def _fields(self, position: Position, fields: Iterable[SelectedField]) -> list[Choice]:
        choices: list[Choice] = []
        for field in fields:
            choices += self._field(position, field)
        return choices

    def _field(self, position: Position, field: SelectedField) -> list[Choice]:
        if field.name == TYPENAME and not self._supergraph.types[position.type].is_abstract:
            return []  # a constant
        if field.selection is None:
            return [self._leaf(position, field)]
        child = self.child(position, field)
        if child is None:
            raise self._unreachable(position, field)
        return self.find_choices(child, field.selection)

    def _leaf(self, position: Position, field: SelectedField) -> Choice:
        ways = self._field_paths(position, field, "", is_leaf=True)
        if not ways:
            raise self._unreachable(position, field)
        return Choice(ways)

    # -- abstract types -----------------------------------------------------------------------------------------

    def _abstract(self, position: Position, selection: Selection) -> list[Choice]:
        return self._split(position, selection, self._common_types(position))

    def _split(self, position: Position, selection: Selection, possible: list[str]) -> list[Choice]:
        """Fields of the abstract type itself where a subgraph resolves them for all values, else per concrete type."""
        by_type = {t: dict(fields) for t, fields in selection.by_type.items() if t in possible}
        general: list[SelectedField] = []
        for field in selection.fields.values():
            if self._resolves_for_all(position, field):
                general.append(field)
                continue
            if field.name == TYPENAME or not possible:
                raise self._unreachable(position, field)
            for concrete in possible:
                add_field(by_type.setdefault(concrete, {}), field)
        by_type = {t: fields for t, fields in by_type.items() if fields}
        if len(by_type) < 2 or len(position.arrivals) == 1:
            return self._fields(position, general) + self._by_type(position, by_type)
        return self._consistently(position, selection, possible, general, by_type)

    def _common_types(self, position: Position) -> list[str]:
        """The concrete types that every subgraph knows which could be asked: the answer must not depend on the choice.

        A union's list counts in all subgraphs that arrive here, an interface's only in the nearest ones.
        """
        nearest = position.arrivals[0].cost // HOP_COST
        is_union = self._supergraph.types[position.type].kind == "union"
        asked = [p.at() for p in position.arrivals if is_union or p.cost // HOP_COST == nearest]
        known = [set(node.concrete_types) for node in asked]
        common = set.intersection(*known) or known[0]
        return [t for t in self._supergraph.possible_of(position.type) if t in common]

    def _resolves_for_all(self, position: Position, field: SelectedField) -> bool:
        if any(p.at().field(field.name) for p in position.arrivals):
            return True
        if any(p.at().field(field.name) for p in self._reach(position)):
            return True
        return bool(self._requiring_paths(position, field, ""))

    def _by_type(self, position: Position, by_type: dict[str, dict[str, SelectedField]]) -> list[Choice]:
        choices: list[Choice] = []
        for concrete, fields in by_type.items():
            narrowed = self._narrow(position, concrete)
            if narrowed is not None:
                choices += self._fields(narrowed, fields.values()) or [Choice(narrowed.arrivals)]
        return choices

    def _consistently(
        self,
        position: Position,
        selection: Selection,
        possible: list[str],
        general: list[SelectedField],
        by_type: dict[str, dict[str, SelectedField]],
    ) -> list[Choice]:
        """Take all concrete types from one arrival: lists of two subgraphs may differ, so they must not be mixed."""
        best: list[Choice] | None = None
        resolved_alone: set[str] = set()
        self._trials += 1
        try:
            for arrival in position.arrivals:
                alone = Position(position.place, position.type, [arrival], position.nesting)
                try:
                    choices = self._split(alone, selection, possible)
                except PlanningError as error:
                    if error.code != "PLANNING_FAILED":
                        raise
                    resolved_alone |= self._resolvable_types(alone, by_type)
                    continue
                if best is None or _total(choices) < _total(best):
                    best = choices
                if self._trials > 2:
                    break  # nested trials multiply: below this depth the first that works is taken
        finally:
            self._trials -= 1
        if best is not None:
            return best
        if resolved_alone >= by_type.keys():
            place = position.place
            raise PlanningError(f"no single subgraph can list every type of {position.type} at {place}")
        return self._fields(position, general) + self._by_type(position, by_type)

    def _resolvable_types(self, alone: Position, by_type: dict[str, dict[str, SelectedField]]) -> set[str]:
        found: set[str] = set()
        for concrete, fields in by_type.items():
            try:
                self._by_type(alone, {concrete: fields})
                found.add(concrete)
            except PlanningError:
                continue
        return found

    def _narrow(self, position: Position, concrete: str) -> Position | None:
        """The position for values of one concrete type; None if no value here can have it."""
        paths: list[Path] = []
        sources = position.arrivals
        if any(p.at().is_interface_object for p in sources):
            sources = self._reach(position)
        typename: Choice | None = None
        for path in sources:
            node = path.at().narrow(concrete)
            if node is None:
                continue
            if node is path.node and node.is_interface_object:
                typename = typename or self._leaf(position, SelectedField(TYPENAME, TYPENAME))
                paths.append(filter_path(path, concrete, typename[0]))
            else:
                paths.append(narrow_path(path, concrete, node))
        if not paths:
            return None
        place = position.place.narrow(concrete)
        return Position(place, concrete, paths, position.nesting, is_closed=position.is_closed)

    # -- one field ----------------------------------------------------------------------------------------------

    def _field_paths(
        self, position: Position, field: SelectedField, type_name: str, *, is_leaf: bool
    ) -> list[Path]:
        """All ways to a field: where a path already stands, after a hop, or after fetching what the field requires."""
        found = self._direct_paths(position.arrivals, field, type_name, is_closed=position.is_closed)
        nearest = position.arrivals[0].cost // HOP_COST
        is_near = bool(found) and min(p.cost for p in found) // HOP_COST == nearest
        if not (is_leaf and is_near):
            found = self._direct_paths(self._reach(position), field, type_name, is_closed=position.is_closed)
            found += self._requiring_paths(position, field, type_name)
        if not found:
            return []
        if not is_leaf:
            return cheapest_per_node(found)
        limit = min(p.cost for p in found) + HOP_COST + HOP_COST // 2
        return sorted((p for p in found if p.cost < limit), key=lambda p: p.cost)

    def _direct_paths(
        self, paths: Iterable[Path], field: SelectedField, type_name: str, *, is_closed: bool
    ) -> list[Path]:
        found: list[Path] = []
        for path in paths:
            edge = path.at().field(field.name)
            if edge is None or edge.requires is not None:
                continue
            if path.kind == "filter" and edge.type.non_null and not is_closed:
                continue  # its failure for a value of another type would cost that value
            found.append(field_path(path, field, edge, type_name))
        return found

    def _requiring_paths(self, position: Position, field: SelectedField, type_name: str) -> list[Path]:
        """Ways to a field with @requires: enter (or re-enter) its subgraph with the key and what it requires."""
        if position.is_closed or position.nesting >= _MAX_NESTING:
            return []
        found: list[Path] = []
        for hop in self._graph.hops(position.type):
            edge = hop.target.field(field.name)
            if edge is None or edge.requires is None or hop.key is None:
                continue
            memo = position.place, hop.target, field.name
            if memo in self._requiring:
                continue
            self._requiring.add(memo)
            try:
                path = self._requiring_hop(position, hop, edge.requires, field.name)
            finally:
                self._requiring.discard(memo)
            if path is not None:
                found.append(field_path(path, field, edge, type_name))
        return found

    def _requiring_hop(self, position: Position, hop: Hop, requires: str, reason: str) -> Path | None:
        reached = self._reach(position)
        key = self._select(hop.target.info.name, hop.key or "")
        required = self._select(hop.target.info.name, requires)
        key_leaves = self._requirement(position, reached, key)
        if key_leaves is None:
            return None
        inside = Position(position.place, position.type, position.arrivals, position.nesting + 1)
        inside.reached = reached
        try:
            choices = self.find_choices(inside, required)
        except PlanningError as error:
            if error.code != "PLANNING_FAILED":
                raise
            return None
        leaves = [c[0] for c in choices]
        prev = _base(key_leaves[0], position.place)
        return hop_path(prev, hop, key, required, (*key_leaves, *leaves), f"{reason} requires {requires}")

    # -- hops ---------------------------------------------------------------------------------------------------

    def _reach(self, position: Position) -> list[Path]:
        """The arrivals and every node that hops lead to from them, nearest first. Found once per position."""
        if position.reached is not None:
            return position.reached
        # A node whose values could only be filtered may be entered again, with the type known.
        filtered = [p for p in position.arrivals if p.kind == "filter"]
        known = {p.at(): p for p in position.arrivals if p.kind != "filter"}
        position.reached = list(position.arrivals)
        if position.nesting >= _MAX_NESTING:
            return position.reached
        pending = list(self._graph.hops(position.type))
        while pending:
            self._spend()
            standing = [*filtered, *known.values()]
            new: dict[Node, Path] = {}
            for hop in pending:
                if hop.target in known:
                    continue
                path = self._hop(position, standing, hop)
                if path is not None and (hop.target not in new or path.cost < new[hop.target].cost):
                    new[hop.target] = path
            if not new:
                break
            known.update(new)
            pending = [h for h in pending if h.target not in known]
        position.reached = sorted([*filtered, *known.values()], key=lambda p: p.cost)
        return position.reached

    def _hop(self, position: Position, standing: list[Path], hop: Hop) -> Path | None:
        if hop.key is None:
            return hop_path(standing[0], hop, None, None, (), "re-enter the query root")
        key = self._select(hop.target.info.name, hop.key)
        leaves = self._requirement(position, standing, key)
        if not leaves:
            return None
        prev = _base(leaves[0], position.place)
        if hop.target.is_abstract and not all(
            _base(leaf, position.place).at().is_interface_object for leaf in leaves
        ):
            return None  # with the concrete type known, the hop is made per type instead
        return hop_path(prev, hop, key, None, tuple(leaves), f"key {hop.key}")

    def _requirement(self, position: Position, standing: Sequence[Path], key: Selection) -> list[Path] | None:
        """The cheapest way to each leaf of a key, from where paths stand already; None if one cannot be had."""
        here = Position(position.place, position.type, standing, position.nesting + 1, is_closed=True)
        try:
            return [choice[0] for choice in self.find_choices(here, key)]
        except PlanningError as error:
            if error.code != "PLANNING_FAILED":
                raise
            return None

    # -- small things -------------------------------------------------------------------------------------------

    def _select(self, type_name: str, fieldset: str) -> Selection:
        return self._normaliser.select(type_name, [parse_fieldset(fieldset)])

    def _field_type(self, position: Position, name: str) -> str:
        return self._supergraph.types[position.type].fields[name].type.name

    def _spend(self) -> None:
        self._budget -= 1
        if self._budget < 0:
            raise PlanningError("the operation needs too many planning steps", code="PLANNING_LIMIT")
        if not self._budget % 64 and time.monotonic() > self._deadline:
            raise PlanningError("planning took too long", code="PLANNING_TIMEOUT")

    def _unreachable(self, position: Position, field: SelectedField) -> PlanningError:
        at = f"{position.place}" or "the root"
        return PlanningError(f"no subgraph resolves {position.type}.{field.name} at {at}")


def _fields_for(selection: Selection, concrete: str) -> Iterable[SelectedField]:
    """The fields wanted of one concrete type, also if the selection was made for an interface of it."""
    own = selection.by_type.get(concrete)
    if not own:
        return selection.fields.values()
    fields = dict(selection.fields)
    for field in own.values():
        add_field(fields, field)
    return fields.values()


def _base(path: Path, place: Place) -> Path:
    """The part of `path` that stands at `place` last."""
    step: Path | None = path
    while step is not None and (step.place is not place or step.node is None):
        step = step.prev
    if step is None:
        raise ValueError("the path does not pass the place")
    return step


def _total(choices: Iterable[Choice]) -> int:
    return sum(choice[0].cost for choice in choices)
