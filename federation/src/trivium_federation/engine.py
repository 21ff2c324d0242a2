"""The engine: from the text of an operation to the bytes of its answer. One engine serves one supergraph at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec
import orjson

from trivium_federation.cache import PlanCache
from trivium_federation.compiled.fallback import GuardedRun
from trivium_federation.compiled.layout import Unsupported
from trivium_federation.compiled.plan import CompiledPlan
from trivium_federation.errors import PlanningError, RequestError
from trivium_federation.execute.interpreter import Interpreter
from trivium_federation.execute.introspection import answer_introspection
from trivium_federation.execute.run import Sender, run_plan
from trivium_federation.operation.document import Document, Operation, read_document
from trivium_federation.operation.variables import coerce_variables
from trivium_federation.options import EngineOptions
from trivium_federation.planner.plan import FetchPlan
from trivium_federation.planner.printing import Plan
from trivium_federation.prepared import PreparedOperation, Schema, prepare
from trivium_federation.transport import RequestContext, Transport

_NO_CONTEXT = RequestContext()
_NO_LABELS: frozenset[str] = frozenset()
PlanKey = tuple[str | None, tuple[bool, ...], frozenset[str]]


class Stats(msgspec.Struct, frozen=True):
    """What one answer took."""

    subgraph_requests: int = 0
    compiled: bool = False


class Answer(msgspec.Struct, frozen=True):
    """The answer for the client. `status` is 400 if the request itself is at fault, else 200."""

    body: bytes
    has_errors: bool
    status: int
    stats: Stats = Stats()


class Run:
    """One operation on its way to an answer."""

    __slots__ = ("_executor", "_plan", "_sender")

    def __init__(self, plan: FetchPlan, executor: GuardedRun | Interpreter, sender: Sender) -> None:
        self._plan = plan
        self._executor = executor
        self._sender = sender

    async def finish(self) -> Answer:
        """Ask the subgraphs, merge and shape. Safe to cancel: calls under way are cancelled."""
        executor = self._executor
        await run_plan(self._plan, executor, self._sender)
        body, has_errors = executor.finish()
        return Answer(body, has_errors, 200, Stats(self._sender.count, executor.is_compiled))


class _KnownDocument:
    """A checked document with its plans: one for each operation, set of condition values and set of labels in use."""

    __slots__ = ("document", "plans")

    def __init__(self, document: Document, options: EngineOptions) -> None:
        self.document = document
        self.plans: PlanCache[PreparedOperation] = PlanCache(
            options.max_variants_per_document, options.plan_cache_bytes
        )


class Engine:
    """Plans and executes operations. Safe for any number of requests at once on one event loop."""

    def __init__(self, schema: Schema, transport: Transport, options: EngineOptions) -> None:
        self._schema = schema
        self._transport = transport
        self._options = options
        self._documents: PlanCache[_KnownDocument] = PlanCache(
            options.plan_cache_entries, options.plan_cache_bytes
        )

    @classmethod
    def from_sdl(
        cls, supergraph_sdl: str, transport: Transport, *, options: EngineOptions | None = None
    ) -> Engine:
        """An engine for a supergraph. Raises: SupergraphError with line and column."""
        return cls(Schema.from_sdl(supergraph_sdl), transport, options or EngineOptions())

    async def execute(
        self,
        query: str,
        variables: Mapping[str, object] | bytes | None = None,
        operation_name: str | None = None,
        *,
        context: RequestContext | None = None,
    ) -> Answer:
        """Answer one operation. Never raises for what a client or subgraph sends; safe to cancel."""
        run = self.begin(query, variables, operation_name, context=context)
        return run if isinstance(run, Answer) else await run.finish()

    def begin(
        self,
        query: str,
        variables: Mapping[str, object] | bytes | None = None,
        operation_name: str | None = None,
        *,
        context: RequestContext | None = None,
    ) -> Run | Answer:
        """Everything before the first subgraph request; an answer if none is to come."""
        context = context or _NO_CONTEXT
        try:
            # 1. text -> checked document (cached) -> the one operation of it
            known = self._known(query)
            operation = known.document.operation(operation_name)
            # 2. variables, checked and completed
            values = coerce_variables(operation.rules, _read_variables(variables, self._options))
            # 3. the plan for the conditions that these variables decide (cached)
            prepared = self._prepared(query, known, operation, values, context)
            # 4. what needs no subgraph
            local = self._local(operation, prepared, values)
        except RequestError as error:
            return _refusal(error)
        except PlanningError as error:
            return _unplannable(error)
        # 5. subgraph requests, merged and shaped
        return Run(prepared.plan, self._executor(prepared, values, local), Sender(self._transport, context))

    def plan(
        self,
        query: str,
        operation_name: str | None = None,
        *,
        variables: Mapping[str, object] | None = None,
        context: RequestContext | None = None,
    ) -> Plan:
        """The plan of an operation; conditions without a value count as true.

        Raises: RequestError, PlanningError.
        """
        known = self._known(query)
        operation = known.document.operation(operation_name)
        values: dict[str, object] = dict.fromkeys(operation.condition_variables, True)
        values.update(variables or {})
        prepared = self._prepared(query, known, operation, values, context or _NO_CONTEXT)
        conditions = {n: values[n] is True for n in operation.condition_variables}
        return Plan(prepared.plan, conditions, self._why_interpreted(prepared))

    def with_supergraph(self, supergraph_sdl: str, *, warm: int = 100) -> Engine:
        """An engine for a new supergraph, with plans for the `warm` documents used last. This one goes on as it is.

        Raises: SupergraphError.
        """
        fresh = Engine(Schema.from_sdl(supergraph_sdl), self._transport, self._options)
        texts = [str(text) for _, text in zip(range(warm), self._documents.newest(), strict=False)]
        for text in reversed(texts):
            try:
                for operation in fresh._known(text).document.operations:
                    fresh.plan(text, operation.name)
            except (RequestError, PlanningError):
                continue  # no longer valid: its clients are told when they ask
        return fresh

    def _why_interpreted(self, prepared: PreparedOperation) -> str:
        if self._options.interpret_only:
            return "compiled plans are switched off"
        if prepared.compiled is None and not prepared.why_interpreted:
            try:
                CompiledPlan(prepared.supergraph, prepared.plan, prepared.shape)
            except Unsupported as reason:
                return str(reason)
        return prepared.why_interpreted

    def _known(self, text: str) -> _KnownDocument:
        known = self._documents.get(text)
        if known is None:
            document = read_document(text, self._schema.api, self._options.limits)
            known = _KnownDocument(document, self._options)
            self._documents.put(text, known, document.size_bytes)
        return known

    def _prepared(
        self,
        text: str,
        known: _KnownDocument,
        operation: Operation,
        values: Mapping[str, object],
        context: RequestContext,
    ) -> PreparedOperation:
        names = operation.condition_variables
        conditions = tuple([values.get(n) is True for n in names]) if names else ()
        labels = (
            context.overrides & self._schema.supergraph.override_labels if context.overrides else _NO_LABELS
        )
        key: PlanKey = operation.name, conditions, labels
        prepared = known.plans.get(key)
        if prepared is None:
            deadline = time.monotonic() + self._options.planning_timeout_s
            given = dict(zip(names, conditions, strict=True))
            prepared = prepare(self._schema, operation, given, labels, self._options, deadline)
            known.plans.put(key, prepared, prepared.size_bytes)
            self._documents.resize(text, known.document.size_bytes + known.plans.bytes)
        return prepared

    def _local(
        self, operation: Operation, prepared: PreparedOperation, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        if not prepared.has_introspection:
            return {}
        if not self._options.allow_introspection:
            raise RequestError.of("INTROSPECTION_DISABLED", "introspection is switched off")
        return answer_introspection(self._schema.api, operation, prepared.shape, values)

    def _executor(
        self, prepared: PreparedOperation, values: Mapping[str, object], local: Mapping[str, object]
    ) -> GuardedRun | Interpreter:
        limits = self._options.limits
        compiled = None if self._options.interpret_only else prepared.use(self._options.compile_at_use)
        if compiled is None:
            return Interpreter(prepared.shape, values, local, limits)
        return GuardedRun(compiled, prepared.shape, values, local, limits)


def _read_variables(
    given: Mapping[str, object] | bytes | None, options: EngineOptions
) -> Mapping[str, object]:
    if not given:
        return {}
    if isinstance(given, bytes):
        if len(given) > options.limits.max_variables_bytes:
            raise RequestError.of("BAD_USER_INPUT", "the variables are too large")
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError as error:
            raise RequestError.of("BAD_USER_INPUT", "the variables are not JSON") from error
        if given is None:
            return {}
    if not isinstance(given, Mapping):
        raise RequestError.of("BAD_USER_INPUT", "the variables are not an object")
    return given


def _refusal(error: RequestError) -> Answer:
    return Answer(orjson.dumps({"errors": list(error.errors)}), True, 400)


def _unplannable(error: PlanningError) -> Answer:
    fault = {"message": str(error), "extensions": {"code": error.code}}
    return Answer(orjson.dumps({"data": None, "errors": [fault]}), True, 200)
