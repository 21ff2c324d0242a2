"""What the REST services share: the application with its refusals, common parameters, ready answers.

The endpoints are `async` and run SQLite directly: their statements are indexed, touch one page of rows and take far
less time than a hop to a thread and back. For the same reason answers are the stored JSON, not models built from it.
"""

import logging
from typing import Annotated, Generic, TypeVar

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from trivium_demo.problems import Problem, problem_response

log = logging.getLogger(__name__)

T = TypeVar("T")

Ids = Annotated[
    str | None, Query(description="comma-separated ids, at most 200; other filters are then ignored")
]
Limit = Annotated[int, Query(ge=1, le=100)]
CursorParameter = Annotated[str | None, Query(description="`next_cursor` of the page before")]
SearchText = Annotated[str | None, Query(min_length=1, max_length=100)]

DEFAULT_LIMIT = 20
_MAX_BODY_BYTES = 1_048_576

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


class Money(BaseModel):
    """An amount in minor units."""

    amount: int
    currency: str = "EUR"


class Page(BaseModel, Generic[T]):
    """A page of a collection."""

    items: list[T]
    next_cursor: str | None = None
    total: int = Field(description="how many there are on all pages")


def create_rest_app(title: str) -> FastAPI:
    """An application whose every refusal is a problem document."""
    app = FastAPI(
        title=f"Trivium demo: {title}", docs_url=None, redoc_url=None, max_body_size=_MAX_BODY_BYTES
    )
    app.exception_handler(Problem)(_answer_problem)
    app.exception_handler(RequestValidationError)(_answer_invalid_request)
    app.exception_handler(HTTPException)(_answer_http_exception)
    app.exception_handler(Exception)(_answer_crash)
    return app


async def _answer_problem(_request: Request, error: Problem) -> Response:
    return problem_response(error)


async def _answer_invalid_request(_request: Request, error: RequestValidationError) -> Response:
    faults = [{"at": ".".join(map(str, fault["loc"])), "message": fault["msg"]} for fault in error.errors()]
    detail = "; ".join(f"{fault['at']}: {fault['message']}" for fault in faults)
    return problem_response(Problem(422, "invalid_input", detail, extensions={"errors": faults}))


async def _answer_http_exception(_request: Request, error: HTTPException) -> Response:
    code = _CODES.get(error.status_code, "bad_request")
    return problem_response(Problem(error.status_code, code, error.detail), error.headers)


async def _answer_crash(_request: Request, _error: Exception) -> Response:
    # Starlette raises the error again after this answer, and uvicorn logs it.
    return problem_response(Problem(500, "internal_error"))


def json_response(body: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Ready JSON as an answer."""
    return Response(body, status_code=status, media_type="application/json", headers=headers)
