"""The HTTP side: `POST /graphql` and `GET /health`, one coroutine per request, top to bottom."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

import msgspec
import orjson

from trivium_common.http import ClientLeft, ClientTooSlow, Exchange
from trivium_federation.engine import Answer, Engine
from trivium_federation.transport import RequestContext

_JSON = b"content-type: application/json\r\n"
_GRAPHQL_RESPONSE = b"content-type: application/graphql-response+json\r\n"
_TEXT = b"content-type: text/plain\r\n"


class _GraphQLRequest(msgspec.Struct, gc=False):
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None  # noqa: N815 - the name on the wire


_decode = msgspec.json.Decoder(_GraphQLRequest).decode


class FederationApp:
    """Answers requests with an engine, which may be replaced while requests are under way.

    `forward_headers`: names of client headers that subgraphs get; all others stay here.
    """

    def __init__(
        self, engine: Engine, *, forward_headers: Iterable[str], timeout_s: float, max_body_bytes: int
    ) -> None:
        self.engine = engine
        self._forwarded = frozenset(name.lower().encode() for name in forward_headers)
        self._timeout_s = timeout_s
        self._max_body_bytes = max_body_bytes

    async def handle(self, exchange: Exchange) -> None:
        """Answer one request. The name of each refusal says who can fix it."""
        # 1. malformed at the HTTP level
        if exchange.fault is not None:
            return _refuse(exchange, exchange.fault.status, exchange.fault.detail)
        # 2. which endpoint
        path = exchange.target.split(b"?", 1)[0]
        if path != b"/graphql":
            return _other(exchange, path)
        # 3. only what a browser cannot send without asking first
        if exchange.method != "POST":
            return _refuse(exchange, 405, "use POST", b"allow: POST\r\n")
        if not exchange.fields.get(b"content-type", b"").startswith(b"application/json"):
            return _refuse(exchange, 415, "the content type must be application/json")
        # 4. body -> request
        try:
            body = await exchange.read_body(self._max_body_bytes)
        except (ClientLeft, ClientTooSlow):
            return None
        if body is None:
            return _refuse(exchange, 413, "the body is too large")
        try:
            request = _decode(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return _refuse(exchange, 400, "the body is not a GraphQL request in JSON")
        # 5. answer
        try:
            answer = await self._answer(exchange, request)
        except ClientLeft:
            return None
        return _respond(exchange, answer)

    async def _answer(self, exchange: Exchange, request: _GraphQLRequest) -> Answer:
        forwarded = self._forwarded
        headers = tuple([p for p in exchange.headers if p[0] in forwarded]) if forwarded else ()
        context = RequestContext(headers, monotonic() + self._timeout_s)
        run = self.engine.begin(request.query, request.variables, request.operationName, context=context)
        return run if isinstance(run, Answer) else await run.finish()


def _other(exchange: Exchange, path: bytes) -> None:
    if path in (b"/health", b"/livez", b"/readyz"):
        exchange.respond_raw(200, _TEXT, b"OK")
    else:
        _refuse(exchange, 404, "not found")


def _respond(exchange: Exchange, answer: Answer) -> None:
    """GraphQL over HTTP: only the newer media type gives a well-formed but wrong operation a 4xx."""
    if b"application/graphql-response+json" in exchange.fields.get(b"accept", b""):
        exchange.respond_raw(answer.status, _GRAPHQL_RESPONSE, answer.body)
    else:
        exchange.respond_raw(200, _JSON, answer.body)


def _refuse(exchange: Exchange, status: int, message: str, lines: bytes = b"") -> None:
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]})
    exchange.respond_raw(status, _JSON + lines, body)
