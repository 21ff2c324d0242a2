"""Request bodies, read with a bound."""

from starlette.types import Receive, Scope

from trivium_common.errors import BodyTooLarge, RequestTimeout


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The whole body.

    Raises: BodyTooLarge, as soon as Content-Length or the bytes themselves exceed `max_bytes`;
    RequestTimeout, when the client has gone before the end.
    """
    too_large = BodyTooLarge(f"the body may have at most {max_bytes} bytes")
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > max_bytes:
            raise too_large
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestTimeout("the client left before the end of the body")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise too_large
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
