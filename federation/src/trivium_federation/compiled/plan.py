"""Compiles a plan and runs it. What does not fit raises `Slow`, and the interpreter takes the same bytes instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import orjson
from msgspec import UNSET

from trivium_federation.compiled.layout import Layout, Unsupported, flat_inputs
from trivium_federation.compiled.source import PlanSource
from trivium_federation.compiled.structs import Structs
from trivium_federation.execute.response_shape import ResponseShape
from trivium_federation.options import Limits
from trivium_federation.planner.plan import FetchPlan, Request
from trivium_federation.supergraph.model import Supergraph
from trivium_federation.transport import SubgraphResponse

_encode = msgspec.json.Encoder().encode


class Slow(Exception):
    """An answer is not what the compiled code is made for."""


class _Answer(msgspec.Struct, gc=False):
    data: Any


class CompiledRequest:
    """The functions of one request. `collect` is None for root requests."""

    __slots__ = ("collect", "decode", "empty_body", "prefix", "slot_names", "take", "variables")

    def __init__(self, request: Request) -> None:
        text = orjson.dumps(request.text)
        self.prefix = b'{"query":%b,"variables":' % text
        self.empty_body = b'{"query":%b}' % text
        self.variables = request.variables
        self.slot_names = [b'"%b":' % name.encode() for name in request.representation_names]
        self.decode: Callable[[bytes], Any] = _not_made
        self.take: Callable[[Any, Any], None] = _not_made
        self.collect: Callable[[Any], tuple[bytes, ...]] | None = None


class CompiledPlan:
    """The compiled form of a plan; its runs share nothing but this."""

    def __init__(self, supergraph: Supergraph, plan: FetchPlan, shape: ResponseShape) -> None:
        if not plan.requests:
            raise Unsupported("no subgraph is asked")
        layout = Layout(supergraph, plan, shape)
        structs = Structs(supergraph, layout)
        source = PlanSource(layout, structs)
        roots = [r for r in plan.requests if r.is_root]
        is_whole = len(roots) == 1 and all(
            f.kind in ("leaf", "object", "typename") for f in layout.root.fields.values()
        )
        root = structs.position(layout.root)
        self.env: dict[str, object] = {"Slow": Slow, "UNSET": UNSET, "dumps": orjson.dumps, "Root": root}
        self.requests = [
            _compile_request(self.env, layout, structs, source, r, is_whole=is_whole) for r in plan.requests
        ]
        self.finish: Callable[[Any], Any] = _define(
            self.env, source, source.finish(roots, is_whole=is_whole), "finish"
        )
        self.state = _state_class(plan, layout, source)


class CompiledRun:
    """One run of a compiled plan, like an `Executor` whose methods raise `Slow`; a failed request is the interpreter's."""

    def __init__(
        self,
        plan: CompiledPlan,
        variables: Mapping[str, object],
        local: Mapping[str, object],
        limits: Limits,
    ) -> None:
        self._plan = plan
        self._variables = variables
        self._limits = limits
        self._state = plan.state(local)

    def build(self, request: Request) -> bytes | None:
        """The body, or None if there is nothing to ask for."""
        compiled = self._plan.requests[request.index]
        given = self._variables
        variables = orjson.dumps({n: given[n] for n in compiled.variables if n in given})
        if compiled.collect is None:
            return compiled.prefix + variables + b"}" if variables != b"{}" else compiled.empty_body
        try:
            inputs = compiled.collect(self._state)
        except (TypeError, orjson.JSONEncodeError) as error:
            raise Slow from error  # such as a key that is an object
        if all(part == b"[]" for part in inputs):
            return None
        if sum(map(len, inputs)) > 16 * self._limits.max_entities_per_request:
            raise Slow  # perhaps too many: the interpreter counts
        parts = [name + part for name, part in zip(compiled.slot_names, inputs, strict=True)]
        if variables != b"{}":
            parts.append(variables[1:-1])
        return compiled.prefix + b"{" + b",".join(parts) + b"}}"

    def absorb(self, request: Request, response: SubgraphResponse) -> None:
        """Decode, check and merge an answer."""
        compiled = self._plan.requests[request.index]
        if len(response.body) > self._limits.max_subgraph_answer_bytes:
            raise Slow
        try:
            answer = compiled.decode(response.body)
            if answer.errors:
                raise Slow
            compiled.take(self._state, answer.data)
        except (msgspec.DecodeError, TypeError, RecursionError, UnicodeDecodeError) as error:
            raise Slow from error

    def finish(self) -> tuple[bytes, bool]:
        """The client's answer; a compiled run that ends has no errors."""
        return _encode(_Answer(self._plan.finish(self._state))), False


def _compile_request(
    env: dict[str, object],
    layout: Layout,
    structs: Structs,
    source: PlanSource,
    request: Request,
    *,
    is_whole: bool,
) -> CompiledRequest:
    compiled = CompiledRequest(request)
    if request.is_root:
        compiled.decode = structs.root_answer(layout.root, (request.index, 0), is_whole=is_whole)
        compiled.take = _define(env, source, source.take_root(request), "take")
        return compiled
    for slot in request.slots:
        flat_inputs(slot)
    slots = [(s.alias, layout.at(s.places[0]), (request.index, n)) for n, s in enumerate(request.slots)]
    compiled.decode = structs.entity_answer(slots)
    compiled.collect = _define(env, source, source.collect(request), "collect")
    compiled.take = _define(env, source, source.take_entities(request), "take")
    return compiled


def _define(env: dict[str, object], source: PlanSource, text: str, name: str) -> Any:
    scope: dict[str, object] = {**env, **source.env}
    exec(compile(text, f"<plan {name}>", "exec"), scope)  # noqa: S102 - see PlanSource: no client text in it
    return scope[name]


def _state_class(plan: FetchPlan, layout: Layout, source: PlanSource) -> type[Any]:
    """A class with a slot for each answer, table and list that the functions use."""
    answers = [f"d{r.index}" for r in plan.requests if r.is_root]
    tables = [f"t{r.index}_{n}" for r in plan.requests if not r.is_root for n in range(len(r.slots))]
    listed = [p for p in layout.positions.values() if p.is_listed and p.path not in layout.same_as]
    lists = [f"o{p.number}" for p in listed]
    shared = [f"u{p.number}" for p in listed if source.is_shared(p)]

    def init(self: Any, local: Mapping[str, object]) -> None:
        self.local = local
        for name in lists:
            setattr(self, name, [])
        for name in shared:
            setattr(self, name, {})

    slots = ("local", *answers, *tables, *lists, *shared)
    return type("PlanState", (), {"__slots__": slots, "__init__": init})


def _not_made(*_: Any) -> Any:
    raise Slow
