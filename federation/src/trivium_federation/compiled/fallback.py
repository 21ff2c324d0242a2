"""Runs compiled code and, at the first thing that it is not made for, replays everything so far in the interpreter."""

from __future__ import annotations

from collections.abc import Callable

from trivium_federation.compiled.plan import CompiledRun, Slow
from trivium_federation.execute.interpreter import Interpreter
from trivium_federation.planner.plan import Request
from trivium_federation.transport import SubgraphResponse


class GuardedRun:
    """An `Executor` that is compiled until something unexpected comes. `is_compiled` says what the answer is made by."""

    def __init__(self, compiled: CompiledRun, interpreter: Callable[[], Interpreter]) -> None:
        self._compiled = compiled
        self._make_interpreter = interpreter
        self._interpreter: Interpreter | None = None
        self._log: list[tuple[Request, SubgraphResponse | None]] = []
        self.is_compiled = True

    def build(self, request: Request) -> bytes | None:
        """The body, or None if there is nothing to ask for."""
        if self._interpreter is None:
            try:
                body = self._compiled.build(request)
            except Slow:
                return self._fall_back().build(request)
            self._log.append((request, None))
            return body
        return self._interpreter.build(request)

    def absorb(self, request: Request, response: SubgraphResponse) -> None:
        """Merge an answer."""
        if self._interpreter is None:
            try:
                self._compiled.absorb(request, response)
            except Slow:
                self._fall_back().absorb(request, response)
            else:
                self._log.append((request, response))
            return
        self._interpreter.absorb(request, response)

    def fail(self, request: Request, reason: str, code: str) -> None:
        """Record that no answer came."""
        self._fall_back().fail(request, reason, code)

    def finish(self) -> tuple[bytes, bool]:
        """The client's answer, and whether it has errors."""
        if self._interpreter is None:
            try:
                return self._compiled.finish()
            except Slow:
                self._fall_back()
        return self._fall_back().finish()

    def _fall_back(self) -> Interpreter:
        """The interpreter, brought to where the compiled run stood: what was sent is built again, what came is merged."""
        if self._interpreter is None:
            self.is_compiled = False
            self._interpreter = interpreter = self._make_interpreter()
            for request, response in self._log:
                if response is None:
                    interpreter.build(request)
                else:
                    interpreter.absorb(request, response)
            self._log.clear()
        return self._interpreter
