"""Can every operation be answered? The planner's own search walks every path of the schema that clients see.

A state is a type with the subgraph nodes that arrive there; what was asked of a state once need not be asked again, so
the walk ends although operations do not.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from functools import lru_cache

from graphql import parse
from graphql.language import ast

from trivium_federation.compose.check_api import check_api
from trivium_federation.compose.explain import Step, explain, print_operation
from trivium_federation.compose.problems import Place as SourcePlace
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Source
from trivium_federation.errors import PlanningError, SupergraphError
from trivium_federation.operation.normalise import Normaliser
from trivium_federation.operation.selection import TYPENAME, KeySpace, SelectedField
from trivium_federation.planner.graph import SchemaGraph
from trivium_federation.planner.paths import Place, root_path
from trivium_federation.planner.search import Position, Search
from trivium_federation.supergraph.api import build_api_schema
from trivium_federation.supergraph.load import load_supergraph
from trivium_federation.supergraph.model import Field

_MAX_ERRORS = 100
Trail = tuple[Step, ...]
State = tuple[str, frozenset[object]]


def check_satisfiable(definitions: Sequence[str], sources: Sequence[Source], problems: Problems) -> None:
    """Load the supergraph as the engine will, and add SATISFIABILITY_ERROR for each field that cannot be reached."""
    try:
        document = ast.DocumentNode(definitions=tuple(d for text in definitions for d in _parse(text)))
        supergraph = load_supergraph(document)
        api = build_api_schema(document)
    except SupergraphError as error:
        problems.error("INVALID_FEDERATION_SUPERGRAPH", f"the supergraph cannot be loaded: {error}")
        return
    check_api(api, problems)
    if problems.errors:
        return
    for labels in _label_sets(supergraph.override_labels):
        Walk(SchemaGraph(supergraph, labels), sources, problems).run()


@lru_cache(maxsize=32_768)
def _parse(text: str) -> tuple[ast.DefinitionNode, ...]:
    """The definitions of one part of the supergraph, remembered: after an edit most parts are the same."""
    return parse(text, no_location=True).definitions


def _label_sets(labels: frozenset[str]) -> Iterable[frozenset[str]]:
    """Labels off, each alone, all but each, and all: a label decides between two subgraphs, seldom with another."""
    found = {frozenset[str](): None}
    for label in sorted(labels):
        found[frozenset({label})] = None
        found[labels - {label}] = None
    found[labels] = None
    return found


class Walk(Search):
    """One walk through one supergraph for one set of active labels."""

    def __init__(self, graph: SchemaGraph, sources: Sequence[Source], problems: Problems) -> None:
        normaliser = Normaliser(graph.supergraph, {}, {}, KeySpace())
        super().__init__(graph, normaliser, max_positions=10**9, deadline=math.inf)
        self._sources = {source.graph_id: source for source in sources}
        self._problems = problems
        self._seen: set[State] = set()
        self._failed: set[tuple[str, str]] = set()
        self._queue: deque[tuple[Position, Trail]] = deque()

    def run(self) -> None:
        """Visit every state, nearest first, so that the operation shown is a shortest one."""
        for kind, root in self._supergraph.root_types.items():
            place = Place(root)
            arrivals = [root_path(node, place) for node in self._graph.root_nodes(kind)]
            # Mutations and subscriptions start in one subgraph; only below their fields may it be left.
            position = Position(place, root, arrivals, nesting=0, is_closed=kind != "query")
            self._add(position, (Step(kind),))
        while self._queue and len(self._failed) < _MAX_ERRORS:
            position, trail = self._queue.popleft()
            if self._supergraph.types[position.type].is_abstract:
                self._visit_abstract(position, trail)
            else:
                self._visit_object(position, trail)

    def _add(self, position: Position, trail: Trail) -> None:
        state = position.type, frozenset[object](path.at() for path in position.arrivals)
        if state not in self._seen:
            self._seen.add(state)
            self._queue.append((position, trail))

    def _visit_object(self, position: Position, trail: Trail) -> None:
        for field in self._supergraph.types[position.type].fields.values():
            if not field.is_inaccessible:
                self._visit_field(position, field, trail)

    def _visit_field(self, position: Position, field: Field, trail: Trail) -> None:
        wanted = SelectedField(field.name, field.name)
        if not self._supergraph.types[field.type.name].is_composite:
            if not self._has_leaf(position, wanted):
                self._fail(position, field, trail)
            return
        child = self.child(position, wanted)
        if child is None:
            self._fail(position, field, trail)
        else:
            self._add(child, (*trail, Step(field.name, field)))

    def _visit_abstract(self, position: Position, trail: Trail) -> None:
        """Fields asked of all values at once, then the values of each type on their own."""
        for field in self._supergraph.types[position.type].fields.values():
            wanted = SelectedField(field.name, field.name)
            is_composite = self._supergraph.types[field.type.name].is_composite
            if field.is_inaccessible or not is_composite or not self._resolves_for_all(position, wanted):
                continue
            child = self.child(position, wanted)
            if child is not None:
                self._add(child, (*trail, Step(field.name, field)))
        for concrete in self._common_types(position):
            if self._supergraph.types[concrete].is_inaccessible:
                continue
            try:
                narrowed = self._narrow(position, concrete)
            except PlanningError:
                self._fail_typename(position, trail)
                return
            if narrowed is not None:
                self._add(narrowed, (*trail, Step(f"... on {concrete}")))

    def _has_leaf(self, position: Position, wanted: SelectedField) -> bool:
        try:
            self._leaf(position, wanted)
        except PlanningError:
            return False
        return True

    def _fail(self, position: Position, field: Field, trail: Trail) -> None:
        at = position.type, field.name
        if at in self._failed:
            return
        self._failed.add(at)
        steps = [*trail, Step(field.name, field)]
        operation = print_operation(self._supergraph, steps)
        reasons = explain(self._graph, [p.at() for p in position.arrivals], position.type, field)
        said = "\n".join(f"    - {self._named(reason)}" for reason in reasons)
        message = f"{position.type}.{field.name} cannot be reached in\n{operation}\n  because\n{said}"
        self._problems.error("SATISFIABILITY_ERROR", message, *self._places(position.type, field))

    def _fail_typename(self, position: Position, trail: Trail) -> None:
        operation = print_operation(self._supergraph, [*trail, Step(TYPENAME)])
        message = (
            f"nobody can tell the true type of {position.type} in\n{operation}\n  because"
            f" no subgraph that knows its implementations has a resolvable @key of {position.type}"
        )
        if (position.type, TYPENAME) not in self._failed:
            self._failed.add((position.type, TYPENAME))
            self._problems.error("SATISFIABILITY_ERROR", message)

    def _places(self, type_name: str, field: Field) -> list[SourcePlace]:
        found: list[SourcePlace] = []
        for graph in field.joins:
            source = self._sources.get(graph)
            info = source.types.get(type_name) if source is not None else None
            if source is not None and info is not None and field.name in info.fields:
                found.append(source.place(info.fields[field.name].node))
        return found

    def _named(self, reason: str) -> str:
        """Reasons name subgraphs by their ids; people know their names."""
        for graph, source in self._sources.items():
            reason = reason.replace(f"<{graph}>", source.name)
        return reason
