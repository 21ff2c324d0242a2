"""Refusals as RFC 9457 problem documents, in the form that docs/errors.md describes."""

import logging
from collections.abc import Mapping
from contextvars import ContextVar

from pydantic_core import to_json
from starlette.responses import Response

log = logging.getLogger(__name__)

request_id_var: ContextVar[str] = ContextVar("trivium_demo_request_id", default="-")

_TITLES: Mapping[str, str] = {
    "bad_request": "The request could not be understood",
    "invalid_cursor": "The cursor was not issued for this query",
    "invalid_input": "A value in the request is not valid",
    "forbidden": "Access denied",
    "not_found": "Not found",
    "method_not_allowed": "This method is not allowed here",
    "conflict": "The request conflicts with the present state",
    "unsupported_media_type": "This media type is not supported here",
    "injected_fault": "This fault was asked for",
    "internal_error": "Something went wrong on our side",
}


class Problem(Exception):
    """A refusal with a stable code; `detail` says what happened and what to do."""

    def __init__(
        self, status: int, code: str, detail: str = "", *, extensions: Mapping[str, object] | None = None
    ):
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.extensions = extensions or {}


def not_found(id: str) -> Problem:
    """The problem for a thing that does not exist."""
    return Problem(404, "not_found", f"there is no {id!r}")


def invalid_input(detail: str) -> Problem:
    """The problem for a value that was understood and is wrong."""
    return Problem(422, "invalid_input", detail)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """`problem` as an answer."""
    document: dict[str, object] = {
        "type": f"https://trivium.dev/errors/{problem.code}",
        "title": _TITLES.get(problem.code, problem.code),
        "status": problem.status,
        "code": problem.code,
        "instance": request_id_var.get(),
    }
    if problem.detail:
        document["detail"] = problem.detail
    document.update(problem.extensions)
    return Response(
        to_json(document), status_code=problem.status, media_type="application/problem+json", headers=headers
    )
