"""`create_app`: a FastAPI app behind the gate, with health endpoints and a clean end."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import NoReturn

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request

from trivium_common.app.gate import Gate
from trivium_common.app.health import HEALTH_PATHS, Health, health_router
from trivium_common.app.openapi import publish_schemas
from trivium_common.app.settings import BffSettings
from trivium_common.auth.edge_identity import EdgeIdentityVerifier, load_public_keys
from trivium_common.errors import (
    BadRequest,
    CallerFault,
    InternalError,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    TriviumError,
    UnsupportedMediaType,
)
from trivium_common.upstream.client import Upstream

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

log = logging.getLogger(__name__)


def create_app(
    name: str,
    settings: BffSettings,
    routers: Sequence[APIRouter],
    lifespan: Lifespan | None = None,
    *,
    upstreams: Sequence[Upstream] = (),
    answers: Sequence[type] = (),
    middleware: Sequence[Middleware] = (),
) -> FastAPI:
    """The app of BFF `name`, which is also the audience of the identities that it accepts.

    `upstreams` are closed at the end and shown by /readyz; `answers` are the Structs that handlers encode,
    published in the OpenAPI document; `middleware` (pure ASGI) runs behind the gate, which answers what it
    raises. Raises: UnusableKey, when TRIVIUM_EDGE_PUBLIC_KEYS is no use.
    """
    keys = load_public_keys(settings.edge_public_keys, is_production=settings.is_production)
    health = Health(upstreams)
    open_paths = HEALTH_PATHS if settings.is_production else (*HEALTH_PATHS, "/openapi.json")
    app = FastAPI(
        title=f"Trivium {name}",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_build_lifespan(health, upstreams, lifespan),
        middleware=[
            Middleware(
                Gate,
                verifier=EdgeIdentityVerifier(keys, name),
                open_paths=open_paths,
                max_request_s=settings.max_request_s,
            ),
            *middleware,
        ],
        # The framework's own errors join our tree; the gate alone answers them.
        exception_handlers={
            HTTPException: _raise_http_exception,
            RequestValidationError: _raise_validation_error,
        },
    )
    app.include_router(health_router(health))
    for router in routers:
        app.include_router(router)
    publish_schemas(app, answers)
    return app


def _build_lifespan(health: Health, upstreams: Sequence[Upstream], own: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for upstream in upstreams:
                stack.push_async_callback(upstream.aclose)
            if own is not None:
                await stack.enter_async_context(own(app))
            health.is_serving = True
            try:
                yield
            finally:
                health.is_serving = False

    return lifespan


def _raise_http_exception(_request: Request, error: Exception) -> NoReturn:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    raise _translate(error) from error


def _translate(error: HTTPException) -> TriviumError:
    match error.status_code:
        case 404:
            return NotFound()
        case 405:
            return MethodNotAllowed()
        case 415:
            return UnsupportedMediaType()
        case status if 400 <= status < 500:
            return BadRequest(str(error.detail)) if status == 400 else CallerFault(str(error.detail))
        case _:
            return InternalError(str(error.detail))


def _raise_validation_error(_request: Request, error: Exception) -> NoReturn:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
        for fault in error.errors()
    ]
    raise InvalidInput(
        "; ".join(f"{f['field']}: {f['message']}" for f in faults), extensions={"errors": faults}
    )
