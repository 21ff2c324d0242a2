"""One operation put to both sides, and what is wrong with the federated answer, if anything."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, parse, validate

from federation_fuzz.data import Data, UnusableSupergraph
from federation_fuzz.operations import Operation
from federation_fuzz.plain import PlainSchema
from federation_fuzz.schemas import build_client_schema, build_full_schema
from federation_fuzz.subgraphs import Call, Run, StrictSubgraphs
from federation_fuzz.supergraph import read_supergraph
from trivium_federation.engine import Engine
from trivium_federation.options import EngineOptions
from trivium_federation.transport import RequestContext

_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Difference:
    """A wrong federated answer; `kind` is what a shrunk operation must still show."""

    kind: str
    detail: str
    operation: Operation
    expected: Any
    got: Any
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What a bench is made of beside its supergraph; written down with each failure."""

    seed: int
    with_nulls: bool = True
    with_errors: bool = True
    with_labels: bool = False  # overrides that wait for a label: switched on


class Bench:
    """Both sides of one supergraph and one setting, ready to be asked."""

    def __init__(self, name: str, sdl: str, setting: Setting) -> None:
        self.name = name
        self.setting = setting
        supergraph = read_supergraph(sdl)
        supergraph.active_labels = supergraph.labels if setting.with_labels else frozenset()
        self._context = RequestContext(overrides=supergraph.active_labels)
        full = build_full_schema(supergraph)
        self.data = Data(supergraph, full, setting.seed, setting.with_nulls, setting.with_errors)
        self.schema = build_client_schema(supergraph)
        self.plain = PlainSchema(self.schema, self.data)
        self.subgraphs = StrictSubgraphs(self.data)
        self.engines = {
            "interpreted": Engine.from_sdl(sdl, self.subgraphs, options=EngineOptions(interpret_only=True)),
            "compiled": Engine.from_sdl(sdl, self.subgraphs, options=EngineOptions(interpret_only=False)),
        }

    def check(self, operation: Operation) -> Difference | None:
        """Ask both sides and compare; None when the federated answer is right both ways."""
        document = parse(operation.query)
        if validate(self.schema, document, max_errors=1):
            raise ValueError("only valid operations can be compared")
        plain = self.plain.execute(document, operation.variables, operation.operation_name)
        expected = {"data": plain.data, "errors": [_error(error) for error in plain.errors or ()]}
        answers: dict[str, Any] = {}
        for way, engine in self.engines.items():
            self.subgraphs.run = run = Run()
            found: tuple[str, str] | None
            try:
                answers[way] = got = asyncio.run(self._ask(engine, operation))
            except Exception as error:  # noqa: BLE001 - the engine must never raise; here that is a finding
                got, found = None, ("exception", f"{type(error).__name__}: {error}")
            else:
                found = self._judge(plain, expected, got, run.refusals)
            if not found and got != answers["interpreted"]:
                found = ("ways differ", f"interpreted: {answers['interpreted']}")
            if found:
                kind = found[0] if way == "interpreted" else f"{way}: {found[0]}"
                return Difference(kind, found[1], operation, expected, got, tuple(run.calls))
        return None

    def check_refused(self, operation: Operation) -> Difference | None:
        """Ask what validation forbids: the engine must refuse it before any subgraph is asked."""
        self.subgraphs.run = run = Run()
        try:
            got = asyncio.run(self._ask(self.engines["compiled"], operation))
        except Exception as error:  # noqa: BLE001 - as above
            return Difference("exception", f"{type(error).__name__}: {error}", operation, None, None)
        if run.calls or "data" in got or not got.get("errors"):
            broken = validate(self.schema, parse(operation.query), max_errors=1)[0].message
            return Difference(
                "invalid answered", broken, operation, {"errors": [broken]}, got, tuple(run.calls)
            )
        return None

    async def _ask(self, engine: Engine, operation: Operation) -> Any:
        async with asyncio.timeout(_TIMEOUT_S):
            answer = await engine.execute(
                operation.query, operation.variables, operation.operation_name, context=self._context
            )
        return json.loads(answer.body)

    def _judge(
        self, plain: ExecutionResult, expected: dict[str, Any], got: dict[str, Any], refusals: list[str]
    ) -> tuple[str, str] | None:
        if refusals:
            return "refused", "\n".join(dict.fromkeys(refusals))
        if "data" not in got and plain.data is not None:
            return "not answered", json.dumps(got.get("errors"))[:500]
        wanted, given = json.dumps(expected["data"]), json.dumps(got.get("data"))
        if wanted != given:
            if json.dumps(expected["data"], sort_keys=True) == json.dumps(got.get("data"), sort_keys=True):
                return "order", "keys in another order"
            return "data", _first_difference(plain.data, got.get("data"))
        told: list[Any] = got.get("errors") or []
        if self.data.supergraph.has_interface_objects:
            # Asked before the true type was known (see Data): an error where the answer has no such key.
            told = [error for error in told if not _is_unasked(expected["data"], error.get("path") or [])]
        if expected["errors"] and not told:
            return "errors missing", json.dumps(expected["errors"])[:500]
        if told and not expected["errors"]:
            return "errors unexpected", json.dumps(told)[:500]
        return _judge_paths(expected, told)


def open_bench(name: str, sdl: str, setting: Setting) -> Bench | None:
    """A bench, or None where the data rules cannot be kept for the supergraph."""
    try:
        return Bench(name, sdl, setting)
    except UnusableSupergraph:
        return None


def _judge_paths(expected: dict[str, Any], got: list[Any]) -> tuple[str, str] | None:
    """A failure must be told where the client asked for it.

    Below a position that is null already, further failures may or may not be told: the plain side stops at the first.
    """
    known = [error["path"] for error in expected["errors"] if error.get("path")]
    for error in got:
        path = error.get("path")
        if path is not None and path not in known and not _leads_through_null(expected["data"], path):
            return "error path", f"{path} of {error.get('message')!r} is not among {known}"
    return None


def _leads_through_null(data: Any, path: list[Any]) -> bool:
    for key in path:
        if data is None:
            return True
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return False
    return False


def _is_unasked(data: Any, path: list[Any]) -> bool:
    """Whether the path leads to something that the answer does not have: a missing key, or below a present object."""
    for key in path:
        if isinstance(data, dict) and key not in data:
            return True
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(data, dict)


def _error(error: GraphQLError) -> dict[str, Any]:
    return {"message": error.message, "path": error.path}


def _first_difference(wanted: Any, given: Any, path: str = "data") -> str:
    if isinstance(wanted, dict) and isinstance(given, dict) and wanted.keys() == given.keys():
        for key in wanted:
            if json.dumps(wanted[key], sort_keys=True) != json.dumps(given[key], sort_keys=True):
                return _first_difference(wanted[key], given[key], f"{path}.{key}")
    if isinstance(wanted, list) and isinstance(given, list) and len(wanted) == len(given):
        for index, pair in enumerate(zip(wanted, given, strict=True)):
            if json.dumps(pair[0], sort_keys=True) != json.dumps(pair[1], sort_keys=True):
                return _first_difference(*pair, f"{path}[{index}]")
    return f"{path}: wanted {json.dumps(wanted)[:200]}, got {json.dumps(given)[:200]}"
