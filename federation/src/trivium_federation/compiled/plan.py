"""Compiles a plan: one decoder and a few generated functions per request. What does not fit raises `Slow`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from msgspec import UNSET

from trivium_federation.compiled.layout import Layout, Unsupported, flat_inputs
from trivium_federation.compiled.source import PlanSource
from trivium_federation.compiled.structs import Structs
from trivium_federation.execute.response_shape import ResponseShape
from trivium_federation.planner.plan import FetchPlan, Request
from trivium_federation.supergraph.model import Supergraph


class Slow(Exception):
    """An answer is not what the compiled code is made for."""


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
    env.update(source.env)
    exec(compile(text, f"<plan {name}>", "exec"), env)  # noqa: S102 - see PlanSource: no client text in it
    return env.pop(name)


def _state_class(plan: FetchPlan, layout: Layout, source: PlanSource) -> type[Any]:
    """A class with a slot for each answer, table and list that the functions use."""
    answers = [f"d{r.index}" for r in plan.requests if r.is_root]
    tables = [f"t{r.index}_{n}" for r in plan.requests if not r.is_root for n in range(len(r.slots))]
    listed = [p for p in layout.positions.values() if p.is_listed and p.path not in layout.same_as]
    lists = [f"o{p.number}" for p in listed]
    shared = [f"u{p.number}" for p in listed if source.is_shared(p)]
    lines = ["def init(self, local):", "    self.local = local"]
    lines += [f"    self.{name} = []" for name in lists]
    lines += [f"    self.{name} = {{}}" for name in shared]
    init = _define({}, source, "\n".join(lines), "init")
    slots = ("local", *answers, *tables, *lists, *shared)
    return type("PlanState", (), {"__slots__": slots, "__init__": init})


def _not_made(*_: Any) -> Any:
    raise Slow
