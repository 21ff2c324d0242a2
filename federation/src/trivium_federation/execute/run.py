"""Drives the requests of a plan: each starts as soon as its parents are merged, under the deadline of the client's request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from trivium_federation.execute.branches import Branches
from trivium_federation.planner.plan import FetchPlan, Request
from trivium_federation.transport import (
    RequestContext,
    SubgraphRequest,
    SubgraphResponse,
    Transport,
    TransportError,
)

Start = Callable[[Coroutine[Any, Any, None]], object]
Send = Callable[[Request, bytes], Awaitable[SubgraphResponse | TransportError]]


class Executor(Protocol):
    """What builds request bodies and takes answers: the interpreter or a compiled plan."""

    def build(self, request: Request) -> bytes | None:
        """The body, or None if there is nothing to ask for."""
        ...

    def absorb(self, request: Request, response: SubgraphResponse) -> None:
        """Merge an answer."""
        ...

    def fail(self, request: Request, reason: str, code: str) -> None:
        """Record that no answer came."""
        ...


class Sender:
    """Sends requests through the transport and counts them. A failure is a value: siblings go on."""

    def __init__(self, transport: Transport, context: RequestContext) -> None:
        self._transport = transport
        self._context = context
        self.count = 0

    async def __call__(self, request: Request, body: bytes) -> SubgraphResponse | TransportError:
        self.count += 1
        subgraph = request.subgraph
        context = self._context
        call = SubgraphRequest(
            subgraph.name, subgraph.url, body, context.headers, context.deadline, request.is_query
        )
        try:
            return await self._transport.send(call)
        except TransportError as error:
            return error


async def run_plan(plan: FetchPlan, executor: Executor, send: Send) -> None:
    """Run all sections in order. Cancelling cancels the calls under way."""
    if len(plan.requests) == 1:
        request = plan.requests[0]
        body = executor.build(request)
        if body is not None:
            take_answer(executor, request, await send(request, body))
        return
    for section in plan.sections:
        await _Section(section, executor, send).run()


def take_answer(executor: Executor, request: Request, answer: SubgraphResponse | TransportError) -> None:
    """Hand an answer, or its absence, to the executor."""
    if isinstance(answer, TransportError):
        executor.fail(request, str(answer), "SUBGRAPH_UNAVAILABLE")
    else:
        executor.absorb(request, answer)


class _Section:
    def __init__(self, requests: tuple[Request, ...], executor: Executor, send: Send) -> None:
        self._requests = {r.index: r for r in requests}
        self._waiting = {r.index: len(r.parents) for r in requests}
        self._executor = executor
        self._send = send

    async def run(self) -> None:
        """One request at a time needs no tasks; the rest runs in a group."""
        ready = self._start([r for r in self._requests.values() if not r.parents])
        while len(ready) == 1:
            request, body = ready[0]
            ready = self._done(request, await self._send(request, body))
        if ready:
            await self._run_together(ready)

    async def _run_together(self, ready: list[tuple[Request, bytes]]) -> None:
        if asyncio.current_task() is None:
            branches = Branches()
            for request, body in ready:
                branches.start(self._follow(branches.start, request, body))
            await branches.wait_done()
            return
        async with asyncio.TaskGroup() as group:
            for request, body in ready:
                group.create_task(self._follow(group.create_task, request, body))

    async def _follow(self, start: Start, request: Request, body: bytes) -> None:
        """Run a request and, in this branch, the first of those that it makes ready."""
        while True:
            ready = self._done(request, await self._send(request, body))
            if not ready:
                return
            for other, other_body in ready[1:]:
                start(self._follow(start, other, other_body))
            request, body = ready[0]

    def _done(
        self, request: Request, answer: SubgraphResponse | TransportError
    ) -> list[tuple[Request, bytes]]:
        take_answer(self._executor, request, answer)
        return self._start(self._release(request))

    def _start(self, requests: list[Request]) -> list[tuple[Request, bytes]]:
        """The bodies of ready requests; one with nothing to ask for is done at once and may make others ready."""
        started: list[tuple[Request, bytes]] = []
        pending = list(requests)
        while pending:
            request = pending.pop(0)
            body = self._executor.build(request)
            if body is None:
                pending += self._release(request)
            else:
                started.append((request, body))
        return started

    def _release(self, request: Request) -> list[Request]:
        ready: list[Request] = []
        for index in request.children:
            self._waiting[index] -= 1
            if not self._waiting[index]:
                ready.append(self._requests[index])
        return ready
