"""The gate of a BFF: what happens to every request before and after its handler, in one place.

Pure ASGI. It decides on `scope` only and never reads a body.
"""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trivium_common.app.problems import send_problem
from trivium_common.auth.edge_identity import HEADER as IDENTITY_HEADER
from trivium_common.auth.edge_identity import EdgeIdentity, EdgeIdentityVerifier
from trivium_common.errors import InternalError, OurFault, TriviumError, UpstreamTimeout
from trivium_common.observability.context import (
    REQUEST_ID_HEADER,
    is_valid_request_id,
    is_valid_traceparent,
    new_request_id,
    request_id_var,
    traceparent_var,
)
from trivium_common.resilience.deadline import REQUEST_TIMEOUT_HEADER, deadline_scope, parse_timeout_ms

IDENTITY_KEY = "trivium.identity"
# Calls to upstreams end this much before the request must be answered, so that a partial answer can still be
# written, on a busy machine too. Short budgets give a share of themselves.
RESERVE_S = 0.25
RESERVE_SHARE = 0.25

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """The headers that the gate acts on, as they came."""

    request_id: bytes = b""
    traceparent: bytes = b""
    timeout_ms: bytes = b""
    identity: bytes = b""


class Gate:
    """Request id → identity → deadline → handler → problem document when something was raised.

    `open_paths` need no identity; `max_request_s` caps what X-Request-Timeout-Ms asks for.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        verifier: EdgeIdentityVerifier,
        open_paths: Collection[str],
        max_request_s: float,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._open_paths = frozenset(open_paths)
        self._max_request_s = max_request_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request through the gate."""
        if scope["type"] == "websocket":
            # No BFF has one yet, and none may get one past the identity check below by accident.
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # 1. The ids come first: everything after this line may log or fail. Each request is a task of its
        #    own, so its context variables need no resetting.
        known = _pick_headers(scope)
        request_id = known.request_id.decode() if is_valid_request_id(known.request_id) else new_request_id()
        request_id_var.set(request_id)
        traceparent_var.set(known.traceparent.decode() if is_valid_traceparent(known.traceparent) else None)
        answer = _Answer(send)
        try:
            # 2. Who calls; only the edge can say.
            if scope["path"] not in self._open_paths:
                scope[IDENTITY_KEY] = self._verifier.verify(known.identity)
            # 3. The handler, in the time that is left.
            await self._run(scope, receive, answer, parse_timeout_ms(known.timeout_ms, self._max_request_s))
            return
        except TriviumError as error:
            refusal = error
            if isinstance(error, OurFault):
                log.warning("request failed", extra={"code": error.code, "detail": error.detail})
        except Exception as error:
            refusal = InternalError()
            log.error("request failed", exc_info=error, extra={"code": refusal.code})
        # 4. One answer for whatever was raised, unless a part of another is out already.
        if answer.has_started:
            raise refusal
        await send_problem(send, refusal, request_id)

    async def _run(self, scope: Scope, receive: Receive, send: Send, budget_s: float) -> None:
        reserve_s = min(RESERVE_S, budget_s * RESERVE_SHARE)
        try:
            with deadline_scope(budget_s - reserve_s):
                async with asyncio.timeout(budget_s) as guard:
                    await self._app(scope, receive, send)
        except TimeoutError as error:
            if guard.expired():
                raise UpstreamTimeout("the handler did not end before the deadline") from error
            raise


class _Answer:
    """Passes messages on and remembers whether the answer has begun."""

    __slots__ = ("_send", "has_started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        self.has_started = True
        await self._send(message)


def _pick_headers(scope: Scope) -> _Known:
    known = _Known()
    for name, value in scope["headers"]:
        if name == REQUEST_ID_HEADER:
            known.request_id = value
        elif name == IDENTITY_HEADER:
            known.identity = value
        elif name == REQUEST_TIMEOUT_HEADER:
            known.timeout_ms = value
        elif name == b"traceparent":
            known.traceparent = value
    return known


def caller_of(scope: Scope) -> EdgeIdentity:
    """Who calls, as the edge vouches for; `request.scope` has it behind every path that is not open."""
    identity = scope[IDENTITY_KEY]
    assert isinstance(identity, EdgeIdentity)  # noqa: S101 - the gate put it there
    return identity
