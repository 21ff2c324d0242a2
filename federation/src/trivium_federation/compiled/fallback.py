"""Runs compiled code and, at the first thing that it is not made for, replays everything so far in the interpreter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from trivium_federation.compiled.plan import CompiledPlan, Slow
from trivium_federation.execute.interpreter import Interpreter
from trivium_federation.execute.response_shape import ResponseShape
from trivium_federation.options import Limits
from trivium_federation.planner.plan import Request
from trivium_federation.transport import SubgraphResponse

_encode = msgspec.json.Encoder().encode


class _Answer(msgspec.Struct, gc=False):
    data: Any


class GuardedRun:
    """An `Executor` that is compiled until something unexpected comes. `is_compiled` says what makes the answer."""

    __slots__ = ("_interpreter", "_limits", "_local", "_log", "_plan", "_shape", "_state", "_variables")

    def __init__(
        self,
        plan: CompiledPlan,
        shape: ResponseShape,
        variables: Mapping[str, object],
        local: Mapping[str, object],
        limits: Limits,
    ) -> None:
        self._plan = plan
        self._shape = shape
        self._variables = variables
        self._local = local
        self._limits = limits
        self._state = plan.state(local)
        self._interpreter: Interpreter | None = None
        # What happened so far: None stands for a request that was built.
        self._log: list[tuple[Request, SubgraphResponse | None]] = []

    @property
    def is_compiled(self) -> bool:
        """Whether compiled code made the answer."""
        return self._interpreter is None

    def build(self, request: Request) -> bytes | None:
        """The body, or None if there is nothing to ask for."""
        if self._interpreter is not None:
            return self._interpreter.build(request)
        try:
            body = self._build(request)
        except (Slow, TypeError, orjson.JSONEncodeError):  # such as a key that is an object
            return self._fall_back().build(request)
        self._log.append((request, None))
        return body

    def absorb(self, request: Request, response: SubgraphResponse) -> None:
        """Merge an answer."""
        if self._interpreter is not None:
            return self._interpreter.absorb(request, response)
        compiled = self._plan.requests[request.index]
        try:
            if len(response.body) > self._limits.max_subgraph_answer_bytes:
                raise Slow
            answer = compiled.decode(response.body)
            if answer.errors:
                raise Slow
            compiled.take(self._state, answer.data)
        except (Slow, msgspec.DecodeError, TypeError, RecursionError, UnicodeDecodeError):
            return self._fall_back().absorb(request, response)
        self._log.append((request, response))
        return None

    def fail(self, request: Request, reason: str, code: str) -> None:
        """Record that no answer came."""
        self._fall_back().fail(request, reason, code)

    def finish(self) -> tuple[bytes, bool]:
        """The client's answer, and whether it has errors; a run that is compiled to its end has none."""
        if self._interpreter is not None:
            return self._interpreter.finish()
        return _encode(_Answer(self._plan.finish(self._state))), False

    def _build(self, request: Request) -> bytes | None:
        compiled = self._plan.requests[request.index]
        given = self._variables
        variables = b"{}"
        if compiled.variables:
            variables = orjson.dumps({n: given[n] for n in compiled.variables if n in given})
        if compiled.collect is None:
            return compiled.prefix + variables + b"}" if variables != b"{}" else compiled.empty_body
        inputs = compiled.collect(self._state)
        if all(part == b"[]" for part in inputs):
            return None
        if sum(map(len, inputs)) > 16 * self._limits.max_entities_per_request:
            raise Slow  # perhaps too many: the interpreter counts
        parts = [name + part for name, part in zip(compiled.slot_names, inputs, strict=True)]
        if variables != b"{}":
            parts.append(variables[1:-1])
        return compiled.prefix + b"{" + b",".join(parts) + b"}}"

    def _fall_back(self) -> Interpreter:
        """The interpreter, brought to where the compiled run stood: what was sent is built again, what came is merged."""
        if self._interpreter is None:
            self._interpreter = interpreter = Interpreter(
                self._shape, self._variables, self._local, self._limits
            )
            for request, response in self._log:
                if response is None:
                    interpreter.build(request)
                else:
                    interpreter.absorb(request, response)
            self._log.clear()
        return self._interpreter
