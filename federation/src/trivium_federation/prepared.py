"""Everything about one operation that does not change between requests: its plan and the shape of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLSchema

from trivium_federation.compiled.layout import Unsupported
from trivium_federation.compiled.plan import CompiledPlan
from trivium_federation.execute.response_shape import ResponseShape
from trivium_federation.operation.document import Operation
from trivium_federation.operation.normalise import Normaliser
from trivium_federation.operation.selection import KeySpace
from trivium_federation.options import EngineOptions
from trivium_federation.planner.graph import SchemaGraph
from trivium_federation.planner.plan import FetchPlan
from trivium_federation.planner.planning import make_plan
from trivium_federation.planner.requests import OperationFrame
from trivium_federation.supergraph.api import build_api_schema
from trivium_federation.supergraph.load import load_supergraph, parse_supergraph
from trivium_federation.supergraph.model import Supergraph


@dataclass(slots=True)
class Schema:
    """A supergraph with what is derived from it once."""

    supergraph: Supergraph
    api: GraphQLSchema
    graphs: dict[frozenset[str], SchemaGraph] = field(default_factory=dict)

    @classmethod
    def from_sdl(cls, sdl: str) -> Schema:
        """Raises: SupergraphError."""
        document = parse_supergraph(sdl)
        supergraph = load_supergraph(document)
        return cls(supergraph, build_api_schema(document))

    def graph(self, labels: frozenset[str]) -> SchemaGraph:
        """The graph for a set of active override labels."""
        if labels not in self.graphs:
            if len(self.graphs) >= 64:  # each label doubles the sets; old ones are cheap to rebuild
                self.graphs.clear()
            self.graphs[labels] = SchemaGraph(self.supergraph, labels)
        return self.graphs[labels]


@dataclass(slots=True)
class PreparedOperation:
    """A plan with the shape of its answer, and its compiled form or why there is none (yet)."""

    plan: FetchPlan
    shape: ResponseShape
    has_introspection: bool
    supergraph: Supergraph
    size_bytes: int
    compiled: CompiledPlan | None = None
    why_interpreted: str = ""
    uses: int = 0

    def use(self, compile_at_use: int) -> CompiledPlan | None:
        """Count a use and compile at the one that is asked for: an operation seen once is not worth it."""
        self.uses += 1
        if self.uses == compile_at_use:
            try:
                self.compiled = CompiledPlan(self.supergraph, self.plan, self.shape)
            except Unsupported as reason:
                self.why_interpreted = str(reason)
        return self.compiled


def prepare(
    schema: Schema,
    operation: Operation,
    conditions: Mapping[str, bool],
    labels: frozenset[str],
    options: EngineOptions,
    deadline: float,
) -> PreparedOperation:
    """Plan an operation for one set of condition values. Raises: PlanningError."""
    supergraph = schema.supergraph
    keys = KeySpace(supergraph.fieldset_names)
    normaliser = Normaliser(supergraph, operation.fragments, conditions, keys)
    root = supergraph.root_types[operation.kind]
    selection = normaliser.select(root, [operation.node.selection_set])
    frame = OperationFrame(operation.kind, {rule.name: rule.definition for rule in operation.rules})
    plan = make_plan(
        schema.graph(labels),
        normaliser,
        selection,
        frame,
        max_positions=options.limits.max_planned_positions,
        deadline=deadline,
    )
    shape = ResponseShape(
        supergraph, operation.fragments, conditions, keys, root, operation.node.selection_set
    )
    return PreparedOperation(plan, shape, shape.has_root("local"), supergraph, _size_bytes(plan, operation))


def _size_bytes(plan: FetchPlan, operation: Operation) -> int:
    """An estimate of what a plan keeps in memory: most grows with its requests' texts and the operation's fields."""
    return 8_000 + 90 * plan.text_bytes + 200 * len(operation.condition_variables)
