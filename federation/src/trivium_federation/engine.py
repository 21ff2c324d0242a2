"""The engine: from the text of an operation to the bytes of its answer. One engine serves one supergraph at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from trivium_federation.cache import PlanCache
from trivium_federation.compiled.fallback import GuardedRun
from trivium_federation.compiled.plan import CompiledRun
from trivium_federation.errors import PlanningError, RequestError
from trivium_federation.execute.interpreter import Interpreter
from trivium_federation.execute.introspection import answer_introspection
from trivium_federation.execute.run import Sender, run_plan
from trivium_federation.operation.document import Document, Operation, read_document
from trivium_federation.operation.variables import coerce_variables
from trivium_federation.options import EngineOptions
from trivium_federation.planner.printing import Plan
from trivium_federation.prepared import PreparedOperation, Schema, prepare
from trivium_federation.transport import RequestContext, Transport


@dataclass(frozen=True, slots=True)
class Stats:
    """What one answer took."""

    subgraph_requests: int = 0
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer for the client. `status` is 400 if the request itself is at fault, else 200."""

    body: bytes
    has_errors: bool
    status: int
    stats: Stats = Stats()


class Engine:
    """Plans and executes operations. Safe for any number of requests at once on one event loop."""

    def __init__(self, schema: Schema, transport: Transport, options: EngineOptions) -> None:
        self._schema = schema
        self._transport = transport
        self._options = options
        self._documents: PlanCache[Document] = PlanCache(options.plan_cache_entries, options.plan_cache_bytes)
        self._plans: PlanCache[PreparedOperation] = PlanCache(
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
        try:
            # 1. text -> checked document (cached) -> the one operation of it
            operation = self._document(query).operation(operation_name)
            # 2. variables, checked and completed
            values = coerce_variables(operation.rules, _read_variables(variables, self._options))
            # 3. plan, for the conditions that these variables decide (cached)
            context = context or RequestContext()
            prepared = self._prepared(query, operation, values, context)
            # 4. what needs no subgraph
            local = self._local(operation, prepared, values)
        except RequestError as error:
            return _refusal(error)
        except PlanningError as error:
            return _unplannable(error)
        # 5. subgraph requests, merged and shaped
        executor = self._executor(prepared, values, local)
        sender = Sender(self._transport, context)
        await run_plan(prepared.plan, executor, sender)
        body, has_errors = executor.finish()
        return Answer(body, has_errors, 200, Stats(sender.count, executor.is_compiled))

    def _executor(
        self, prepared: PreparedOperation, values: Mapping[str, object], local: Mapping[str, object]
    ) -> GuardedRun | Interpreter:
        limits = self._options.limits

        def interpreter() -> Interpreter:
            return Interpreter(prepared.shape, values, local, limits)

        if prepared.compiled is None:
            return interpreter()
        return GuardedRun(CompiledRun(prepared.compiled, values, local, limits), interpreter)

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
        operation = self._document(query).operation(operation_name)
        values: dict[str, object] = dict.fromkeys(operation.condition_variables, True)
        values.update(variables or {})
        prepared = self._prepared(query, operation, values, context or RequestContext())
        return Plan(prepared.plan, {n: values[n] is True for n in operation.condition_variables})

    def _document(self, text: str) -> Document:
        document = self._documents.get(text)
        if document is None:
            document = read_document(text, self._schema.api, self._options.limits)
            self._documents.put(text, document, 40 * len(text))
        return document

    def _prepared(
        self, text: str, operation: Operation, values: Mapping[str, object], context: RequestContext
    ) -> PreparedOperation:
        conditions = {name: values.get(name) is True for name in operation.condition_variables}
        labels = context.overrides & self._schema.supergraph.override_labels
        key = text, operation.name, tuple(conditions.values()), labels
        prepared = self._plans.get(key)
        if prepared is None:
            deadline = time.monotonic() + self._options.planning_timeout_s
            prepared = prepare(self._schema, operation, conditions, labels, self._options, deadline)
            self._plans.put(key, prepared, len(text) + 20 * prepared.plan.text_bytes)
        return prepared

    def _local(
        self, operation: Operation, prepared: PreparedOperation, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        if not prepared.has_introspection:
            return {}
        if not self._options.allow_introspection:
            raise RequestError.of("INTROSPECTION_DISABLED", "introspection is switched off")
        return answer_introspection(self._schema.api, operation, prepared.shape, values)


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
