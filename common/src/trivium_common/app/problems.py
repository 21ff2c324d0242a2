"""Errors into answers: the only place of a BFF that writes a problem document (RFC 9457)."""

from starlette.exceptions import HTTPException
from starlette.types import Send

from trivium_common.errors import (
    PROBLEM_MEDIA_TYPE,
    InternalError,
    OurFault,
    Overloaded,
    TriviumError,
    render_problem,
    retry_after_header,
)

ORIGIN_HEADER = b"x-trivium-origin"


async def send_problem(send: Send, error: TriviumError, request_id: str) -> None:
    """Answer with the problem document of `error`."""
    body = render_problem(error, request_id)
    headers = [
        (b"content-type", PROBLEM_MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *_build_headers(error),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _build_headers(error: TriviumError) -> list[tuple[bytes, bytes]]:
    headers = []
    if error.retry_after_s is not None or error.status in (429, 503):
        headers.append((b"retry-after", retry_after_header(error.retry_after_s or 1.0).encode()))
    if isinstance(error, OurFault) and not isinstance(error, InternalError):
        # A deliberate refusal: the edge must not take this node for a broken one (docs/wire-contract.md).
        headers.append((ORIGIN_HEADER, b"overload" if isinstance(error, Overloaded) else b"upstream"))
    if isinstance(error.__cause__, HTTPException) and error.__cause__.headers:
        # What the framework had to say with this status, such as Allow with 405.
        headers += [(n.lower().encode(), v.encode()) for n, v in error.__cause__.headers.items()]
    return headers
