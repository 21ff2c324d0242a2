"""One small document over HTTP, for keys and metadata: bounded in time and size, no redirects."""

import time
from urllib.parse import urlsplit

from trivium_common.http.client import HttpClient
from trivium_common.http.errors import HttpError
from trivium_edge.auth.key_source import FetchFailed

FETCH_TIMEOUT_S = 5.0
MAX_DOCUMENT_BYTES = 1024 * 1024


async def fetch_document(url: str) -> bytes:
    """The body that `url` answers with status 200.

    A connection of its own each time: it happens every few minutes, and a changed address is followed.
    Raises: FetchFailed.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    client = HttpClient(f"{parts.scheme}://{parts.netloc}")
    try:
        response = await client.request(
            "GET",
            target,
            headers=[(b"accept", b"application/json")],
            deadline=time.monotonic() + FETCH_TIMEOUT_S,
            max_body_bytes=MAX_DOCUMENT_BYTES,
        )
    except (HttpError, OSError, ValueError) as error:
        raise FetchFailed(f"{url}: {error or type(error).__name__}") from error
    finally:
        await client.aclose()
    if response.status != 200:
        raise FetchFailed(f"{url}: answered {response.status}, expected 200")
    return response.body
