"""What each stage of the engine costs, in this process: subgraph answers are recorded first and then served from memory.

Cold, in milliseconds, once per document: read (parse and validate), normalise, plan, compile. Hot, in microseconds, for
each request: begin (document, variables, plan from their caches), build (request bodies), merge (decode and merge
answers), shape (the client's bytes). The best of many runs counts.

    python benchmarks/federation/stages.py SUBGRAPHS_URL     (run.py starts the subgraphs and calls this with --stages)
"""

import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from load import request_body

from trivium_federation.compiled.plan import CompiledPlan
from trivium_federation.engine import Engine
from trivium_federation.operation.document import read_document
from trivium_federation.operation.normalise import Normaliser
from trivium_federation.operation.selection import KeySpace
from trivium_federation.options import EngineOptions
from trivium_federation.planner.planning import make_plan
from trivium_federation.planner.requests import OperationFrame
from trivium_federation.prepared import Schema, prepare
from trivium_federation.transport import SubgraphRequest, SubgraphResponse

HERE = Path(__file__).parent
_COLD_RUNS = 15
_HOT_RUNS = {"S": 2000, "M": 800, "L": 80}


class Recorded:
    """A transport that asks a subgraph once for each body and then answers from memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], SubgraphResponse] = {}

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """The answer, known or asked."""
        key = (request.url, request.body)
        if key not in self._known:
            headers = {"content-type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(request.url, request.body, headers)) as answer:  # noqa: ASYNC210
                self._known[key] = SubgraphResponse(200, answer.read(), "application/json")
        return self._known[key]


class Clock:
    """The shortest time of each stage over many runs."""

    def __init__(self) -> None:
        self.best_s: dict[str, float] = {}

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Time what stands under it."""
        started = time.perf_counter()
        yield
        self.best_s[stage] = min(self.best_s.get(stage, float("inf")), time.perf_counter() - started)


def cold_ms(sdl: str, query: str) -> dict[str, float]:
    """The stages that happen once per document. Each run starts from a fresh schema, so that nothing is kept."""
    clock = Clock()
    options = EngineOptions()
    for _ in range(_COLD_RUNS):
        with clock.time("load supergraph"):
            schema = Schema.from_sdl(sdl)
        with clock.time("read"):
            operation = read_document(query, schema.api, options.limits).operation(None)
        keys = KeySpace(schema.supergraph.fieldset_names)
        normaliser = Normaliser(schema.supergraph, operation.fragments, {}, keys)
        root = schema.supergraph.root_types[operation.kind]
        with clock.time("normalise"):
            selection = normaliser.select(root, [operation.node.selection_set])
        frame = OperationFrame(operation.kind, {rule.name: rule.definition for rule in operation.rules})
        deadline = time.monotonic() + 10
        positions = options.limits.max_planned_positions
        with clock.time("plan"):
            graph = schema.graph(frozenset())
            make_plan(graph, normaliser, selection, frame, max_positions=positions, deadline=deadline)
        interpreted = EngineOptions(interpret_only=True)
        prepared = prepare(schema, operation, {}, frozenset(), interpreted, deadline)
        with clock.time("compile"):
            CompiledPlan(schema.supergraph, prepared.plan, prepared.shape)
    return {name: round(value * 1e3, 3) for name, value in clock.best_s.items()}


async def hot_us(sdl: str, operation: str, query: str, *, interpret_only: bool) -> dict[str, float]:
    """The stages of each request, from the executor's own three calls."""
    engine = Engine.from_sdl(sdl, Recorded(), options=EngineOptions(interpret_only=interpret_only))
    variables = json.loads(request_body(query, 1003))["variables"]
    await engine.execute(query, variables)
    clock = Clock()
    for _ in range(_HOT_RUNS[operation]):
        with clock.time("all"):
            await engine.execute(query, variables)
        with clock.time("begin"):
            run: Any = engine.begin(query, variables)
        executor = run._executor = _Timed(run._executor)
        await run.finish()
        for stage, spent in executor.spent_s.items():
            clock.best_s[stage] = min(clock.best_s.get(stage, spent), spent)
    return {name: round(value * 1e6, 1) for name, value in clock.best_s.items()}


class _Timed:
    """An executor with a clock round its three calls."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor
        self.spent_s = {"build": 0.0, "merge": 0.0, "shape": 0.0}

    @property
    def is_compiled(self) -> bool:
        return bool(self._executor.is_compiled)

    def build(self, request: Any) -> Any:
        return self._timed("build", lambda: self._executor.build(request))

    def absorb(self, request: Any, response: Any) -> Any:
        return self._timed("merge", lambda: self._executor.absorb(request, response))

    def fail(self, request: Any, reason: str, code: str) -> None:
        self._executor.fail(request, reason, code)

    def finish(self) -> Any:
        return self._timed("shape", self._executor.finish)

    def _timed(self, stage: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        value = call()
        self.spent_s[stage] += time.perf_counter() - started
        return value


def all_stages(sdl: str, operations: dict[str, str]) -> dict[str, Any]:
    """Every operation, cold and hot, compiled and interpreted."""
    found: dict[str, Any] = {}
    for name, query in operations.items():
        found[name] = {
            "cold_ms": cold_ms(sdl, query),
            "compiled_us": asyncio.run(hot_us(sdl, name, query, interpret_only=False)),
            "interpreted_us": asyncio.run(hot_us(sdl, name, query, interpret_only=True)),
        }
    return found


def main() -> None:
    """Print the figures as JSON; the argument is the address of running subgraphs."""
    sdl = (HERE / "supergraph.graphql").read_text().replace("http://127.0.0.1:4201", sys.argv[1])
    print(json.dumps(all_stages(sdl, json.loads((HERE / "operations.json").read_text())), indent=2))


if __name__ == "__main__":
    main()
