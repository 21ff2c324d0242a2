"""Plans one normalised operation: search, choose, fetch, group. Mutations are planned field by field, in order."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.errors import PlanningError
from trivium_federation.operation.normalise import Normaliser
from trivium_federation.operation.selection import SelectedField, Selection
from trivium_federation.planner.choose import choose_paths
from trivium_federation.planner.fetches import FetchBuilder
from trivium_federation.planner.graph import SchemaGraph
from trivium_federation.planner.paths import Path, Place, root_path
from trivium_federation.planner.plan import FetchPlan
from trivium_federation.planner.positions import Choice, Position
from trivium_federation.planner.requests import OperationFrame, build_plan
from trivium_federation.planner.search import Search


def make_plan(
    graph: SchemaGraph,
    normaliser: Normaliser,
    selection: Selection,
    frame: OperationFrame,
    *,
    max_positions: int,
    deadline: float,
) -> FetchPlan:
    """Plan an operation. The same arguments give the same plan.

    Raises: PlanningError if a part cannot be reached, or a bound is met.
    """
    search = Search(graph, normaliser, max_positions=max_positions, deadline=deadline)
    builder = FetchBuilder(graph.supergraph)
    place = Place(selection.type)
    arrivals = [root_path(node, place) for node in graph.root_nodes(frame.kind)]
    rejected: dict[str, None] = {}
    if frame.kind == "query":
        if not selection.is_empty:
            position = Position(place, selection.type, arrivals, nesting=0)
            choices = search.find_choices(position, selection)
            _take(builder, choices, rejected)
    else:
        _plan_in_order(search, builder, place, selection, arrivals, rejected)
    plan = build_plan(graph.supergraph, builder.fetches, frame)
    plan.not_chosen = tuple(rejected)
    return plan


def _take(builder: FetchBuilder, choices: Sequence[Choice], rejected: dict[str, None]) -> None:
    for choice, path in zip(choices, choose_paths(choices), strict=True):
        builder.insert(path)
        for other in choice:
            if other is not path and other.hops != path.hops:
                rejected[f"{path.place} by {_route(other)}"] = None


def _plan_in_order(
    search: Search,
    builder: FetchBuilder,
    place: Place,
    selection: Selection,
    arrivals: list[Path],
    rejected: dict[str, None],
) -> None:
    """Each root field is called in exactly one subgraph; neighbours share a request if nothing else runs between them."""
    last_graph = ""
    for field in selection.fields.values():
        if field.name.startswith("__"):
            continue
        one = Selection(selection.type, {field.key: field})
        choices, arrival = _from_one(search, place, one, arrivals, field)
        graph = arrival.at().graph
        has_look_ups = any(f.key is not None for f in builder.fetches if f.section == builder.section)
        if builder.fetches and (graph != last_graph or has_look_ups):
            builder.next_section()
        _take(builder, choices, rejected)
        last_graph = graph


def _from_one(
    search: Search, place: Place, selection: Selection, arrivals: list[Path], field: SelectedField
) -> tuple[list[Choice], Path]:
    error: PlanningError | None = None
    for arrival in arrivals:
        if arrival.at().field(field.name) is None:
            continue
        position = Position(place, selection.type, [arrival], nesting=0, is_closed=True)
        try:
            return search.find_choices(position, selection), arrival
        except PlanningError as failed:
            error = failed
    raise error or PlanningError(f"no subgraph resolves {selection.type}.{field.name}")


def _route(path: Path) -> str:
    """The subgraphs that a path passes, in words."""
    names: list[str] = []
    step: Path | None = path
    while step is not None:
        if step.kind in ("hop", "root"):
            names.append(step.at().graph)
        step = step.prev
    return " > ".join(reversed(names))
