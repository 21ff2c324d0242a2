"""Faults that are asked for: latency, hanging, errors, garbage, a truncated body, a reset connection."""

import asyncio
import random
import re
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trivium_demo.problems import Problem, problem_response
from trivium_demo.transport import close_connection, reset_connection

_GARBAGE = b'{"items": [{"id": \xff\x00 <!doctype html>'


class FaultPlan(BaseModel):
    """What goes wrong from now on. Latency is added to whatever else is set; of the rest the first acts,
    in the order reset, hang, error, garbage, truncate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_ms: int = Field(default=0, ge=0, le=600_000)
    hang: bool = Field(default=False, description="never answer")
    error_rate: float = Field(
        default=0.0, ge=0, le=1, description="share of requests that are answered with error_status"
    )
    error_status: int = Field(default=500, ge=400, le=599)
    garbage: bool = Field(default=False, description="answer 200 with a body that is not JSON")
    truncate: bool = Field(default=False, description="send half of the body, then close the connection")
    reset: bool = Field(default=False, description="reset the TCP connection instead of answering")
    paths: str | None = Field(
        default=None, description="regular expression; faults act only where it is found in the path"
    )

    @field_validator("paths")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    def acts_on(self, path: str) -> bool:
        """Whether requests for `path` are affected."""
        return self.paths is None or re.search(self.paths, path) is not None


NO_FAULTS = FaultPlan()


class FaultInjector:
    """ASGI middleware that carries out the plan of the moment."""

    def __init__(self, app: ASGIApp, draw: Callable[[], float] = random.random) -> None:
        self._app = app
        self._draw = draw
        self.plan = NO_FAULTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or fail as planned."""
        plan = self.plan
        if plan is NO_FAULTS or not plan.acts_on(scope["path"]):
            return await self._app(scope, receive, send)
        if plan.latency_ms:
            await asyncio.sleep(plan.latency_ms / 1000)
        if plan.reset:
            reset_connection(scope)
            return await wait_disconnected(receive)
        if plan.hang:
            return await wait_disconnected(receive)
        if self._draw() < plan.error_rate:
            response = problem_response(Problem(plan.error_status, "injected_fault", "set by POST /_control"))
            return await response(scope, receive, send)
        if plan.garbage:
            return await _send_garbage(send)
        if plan.truncate:
            await self._app(scope, receive, _truncating(scope, send))
            return await wait_disconnected(receive)
        return await self._app(scope, receive, send)


async def wait_disconnected(receive: Receive) -> None:
    """Wait until the client has gone away; a body that still arrives is read and dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_garbage(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_GARBAGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _GARBAGE})


def _truncating(scope: Scope, send: Send) -> Send:
    is_cut = False

    async def send_half(message: Message) -> None:
        nonlocal is_cut
        if message["type"] == "http.response.start":
            await send(message)
        elif not is_cut:
            is_cut = True
            body = message.get("body", b"")
            # Content-Length still announces all of it: the client can tell that something is missing.
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            close_connection(scope)

    return send_half
