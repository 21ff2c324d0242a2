"""Sends subgraph requests over the shared HTTP engine: one keep-alive pool per origin."""

from __future__ import annotations

from time import monotonic
from urllib.parse import urlsplit

from trivium_common.http import (
    BodyTooLarge,
    ConnectError,
    ConnectTimeout,
    DeadlineExceeded,
    HttpClient,
    HttpError,
    PoolTimeout,
    ReadTimeout,
    WriteTimeout,
)
from trivium_federation.transport import SubgraphRequest, SubgraphResponse, TransportError

_HEADERS = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/graphql-response+json, application/json"),
)
# First match wins. The words complete: the subgraph …
_REASONS: tuple[tuple[tuple[type[HttpError], ...], str], ...] = (
    ((ConnectTimeout, ReadTimeout, WriteTimeout, DeadlineExceeded), "did not answer in time"),
    ((PoolTimeout,), "has too many calls waiting"),
    ((ConnectError,), "cannot be reached"),
    ((BodyTooLarge,), "answered more than is allowed"),
)


class HttpTransport:
    """The transport of the plain server. Belongs to one event loop."""

    def __init__(self, *, timeout_s: float, max_answer_bytes: int) -> None:
        self._timeout_s = timeout_s
        self._max_answer_bytes = max_answer_bytes
        self._clients: dict[str, HttpClient] = {}
        self._targets: dict[str, tuple[HttpClient, str]] = {}

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send one request, no longer than its deadline and the transport's own limit. Raises: TransportError."""
        known = self._targets.get(request.url)
        client, target = known if known is not None else self._target(request.url)
        limit = monotonic() + self._timeout_s
        deadline = limit if request.deadline is None else min(limit, request.deadline)
        try:
            response = await client.request(
                "POST",
                target,
                headers=(*_HEADERS, *request.headers) if request.headers else _HEADERS,
                body=request.body,
                deadline=deadline,
                max_body_bytes=self._max_answer_bytes,
            )
        except HttpError as error:
            raise TransportError(_reason(error)) from error
        return SubgraphResponse(response.status, response.body)

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    def _target(self, url: str) -> tuple[HttpClient, str]:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise TransportError("has no usable address")
        client = self._clients.get(origin)
        if client is None:
            client = self._clients[origin] = HttpClient(origin)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._targets[url] = client, target
        return client, target


def _reason(error: HttpError) -> str:
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return reason
    return "broke the connection"
