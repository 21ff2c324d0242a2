"""Successful answers as ready bytes, with the marker that says whether they are complete."""

from collections.abc import Sequence

import msgspec
from starlette.responses import Response

COMPLETENESS_HEADER = "X-Completeness"

_encode = msgspec.json.Encoder().encode


def json_answer(
    body: object, *, status: int = 200, missing: Sequence[str] | None = None, cache_control: str | None = None
) -> Response:
    """`body` (a msgspec Struct) as JSON.

    `missing` is given for aggregated answers: which sources are not in it. A partial answer is never stored.
    """
    headers = {}
    if missing is not None:
        headers[COMPLETENESS_HEADER] = "partial" if missing else "complete"
    if missing:
        cache_control = "no-store"
    if cache_control is not None:
        headers["Cache-Control"] = cache_control
    return Response(_encode(body), status, headers, "application/json")
