"""Request bodies of the screens that write: JSON, bounded, decoded straight into a Struct."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from trivium_common.app.body import read_body
from trivium_common.errors import BadRequest, InvalidInput, UnsupportedMediaType

T = TypeVar("T")

MAX_BODY_BYTES = 64 * 1024


async def decode_body(request: Request, type: type[T]) -> T:
    """The body as a `type`.

    Raises: UnsupportedMediaType, BodyTooLarge, BadRequest (no JSON), InvalidInput (names the member).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("send application/json")
    body = await read_body(request.scope, request.receive, MAX_BODY_BYTES)
    try:
        return msgspec.json.decode(body, type=type)
    except msgspec.ValidationError as error:
        raise InvalidInput(str(error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("the body is no JSON") from error


def describe_body(type: type) -> dict[str, object]:
    """The `requestBody` of a route that reads a `type`, for its `openapi_extra`."""
    ref = {"$ref": f"#/components/schemas/{type.__name__}"}
    return {"required": True, "content": {"application/json": {"schema": ref}}}
