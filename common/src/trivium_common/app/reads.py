"""Answers to reads: `?fields=`, ETag and 304, Cache-Control and compression, in one place and this order."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from trivium_common.app.answers import COMPLETENESS_HEADER
from trivium_common.app.encodings import CODERS, MIN_BYTES, pick_encoding
from trivium_common.app.fields import parse_fields, select_fields
from trivium_common.app.gate import caller_of
from trivium_common.errors import BadRequest

# For the route's `openapi_extra`: read below rather than by the framework, which would cost each request more.
FIELDS_PARAMETER: dict[str, Any] = {
    "name": "fields",
    "in": "query",
    "required": False,
    "description": "Only these members, separated by commas; dots lead inside: `id,price.amount`",
    "schema": {"type": "string", "maxLength": 1000},
}
# An answer is for one caller: shared caches must not give it to another.
_VARY = "Authorization, Accept-Encoding"

_encode = msgspec.json.Encoder().encode


def answer_read(
    request: Request,
    body: msgspec.Struct,
    *,
    max_age_s: int = 0,
    missing: Sequence[str] | None = None,
    substituted: Sequence[str] = (),
) -> Response:
    """`body` as the request wants it.

    `max_age_s`: how long the phone may use it without asking again (0: it always asks, and mostly gets 304).
    `missing` and `substituted` are given for aggregated answers: which sources are away or replaced by an
    older value; such answers are never stored. Raises: BadRequest, for unknown fields.
    """
    # 1. The members that were asked for.
    fields = _find_fields(request)
    if fields is None:
        content = _encode(body)
    else:
        content = _encode(select_fields(msgspec.to_builtins(body), parse_fields(fields, type(body))))
    headers = {"Vary": _VARY}
    if missing is not None:
        headers[COMPLETENESS_HEADER] = "partial" if missing else "complete"
    # 2. Validators, for what may be stored.
    if missing or substituted:
        headers["Cache-Control"] = "no-store"
    else:
        headers["Cache-Control"] = f"private, max-age={max_age_s}" if max_age_s else "private, no-cache"
        headers["ETag"] = tag = make_etag(content, caller_of(request.scope).subject, fields or "")
        wanted = request.headers.get("if-none-match")
        if wanted is not None and matches_etag(wanted, tag):
            return Response(status_code=304, headers=headers)
    # 3. Compression, where it pays.
    accepted = request.headers.get("accept-encoding")
    if accepted is not None and len(content) >= MIN_BYTES and (coding := pick_encoding(accepted)):
        content = CODERS[coding](content)
        headers["Content-Encoding"] = coding
    return Response(content, 200, headers, "application/json")


def make_etag(content: bytes, subject: str, fields: str) -> str:
    """A weak validator (the codings of one answer share it) of this content for this caller and selection."""
    digest = blake2b(content, digest_size=12)
    digest.update(f"\0{subject}\0{fields}".encode())
    return f'W/"{digest.hexdigest()}"'


def matches_etag(wanted: str, tag: str) -> bool:
    """Whether an If-None-Match value names `tag`, compared weakly (RFC 9110 §13.1.2)."""
    opaque = tag.removeprefix("W/")
    names = (name.strip().removeprefix("W/") for name in wanted.split(","))
    return wanted.strip() == "*" or opaque in names


def _find_fields(request: Request) -> str | None:
    query: bytes = request.scope["query_string"]
    if b"fields" not in query and b"%" not in query:
        return None
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    found = [value for name, value in pairs if name == "fields"]
    if len(found) > 1:
        raise BadRequest("fields: give it once")
    return found[0] if found else None
