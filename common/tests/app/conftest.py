"""A small BFF on a real socket whose handlers do what the tests ask."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from fastapi import APIRouter, FastAPI, Request, Response

from trivium_common.app.answers import json_answer
from trivium_common.app.body import read_body
from trivium_common.app.factory import create_app
from trivium_common.app.gate import caller_of
from trivium_common.app.openapi import describe_answer
from trivium_common.app.settings import BffSettings
from trivium_common.app.testing import serve_app
from trivium_common.errors import Overloaded, UpstreamFailed, UpstreamUnavailable
from trivium_common.observability.context import current_request_id, traceparent_var
from trivium_common.resilience.deadline import remaining_s
from trivium_common.upstream.client import Upstream


class Seen(msgspec.Struct):
    subject: str
    request_id: str
    traceparent: str | None
    remaining_s: float


class SampleSettings(BffSettings):
    service = "sample"
    port: int = 0
    max_request_s: float = 5.0


RAISED = {
    "failed": UpstreamFailed("orders: secret host 10.0.0.7"),
    "away": UpstreamUnavailable("breaker", retry_after_s=3.2),
    "full": Overloaded(),
    "bug": ZeroDivisionError("secret"),
}


def sample_router() -> APIRouter:
    router = APIRouter()

    @router.get("/seen", responses=describe_answer(Seen, "What the handler sees"))
    async def seen(request: Request) -> Response:
        body = Seen(
            caller_of(request.scope).subject,
            current_request_id(),
            traceparent_var.get(),
            remaining_s() or -1.0,
        )
        return json_answer(body)

    @router.get("/raise/{what}")
    async def raise_(what: str) -> Response:
        raise RAISED[what]

    @router.get("/partial")
    async def partial(away: str = "") -> Response:
        return json_answer({"_missing": away.split()}, missing=away.split(), cache_control="private")

    @router.get("/typed")
    async def typed(limit: int) -> Response:
        return json_answer({"limit": limit})

    @router.get("/hang")
    async def hang() -> Response:
        await asyncio.Event().wait()
        raise AssertionError

    @router.post("/body")
    async def body(request: Request) -> Response:
        return json_answer({"size": len(await read_body(request.scope, request.receive, 1000))})

    return router


@pytest.fixture
def app() -> FastAPI:
    upstream = Upstream("orders", "http://127.0.0.1:9")
    return create_app("sample", SampleSettings(), [sample_router()], upstreams=[upstream], answers=[Seen])


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serve_app(app) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        yield client
