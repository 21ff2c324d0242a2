"""The httpx API on our pool: for Authlib, tests and teams that want httpx's objects at about 100 us more a call.

    httpx.AsyncClient(transport=TriviumTransport(), trust_env=False)

Timeouts of the httpx client hold per phase; a deadline can be set per request: `extensions={"deadline": at}` in
`time.monotonic()` seconds, or for all by `current_deadline`.
"""

import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

import httpx

from . import errors
from .client import DEFAULT_LIMITS, HttpClient, StreamedResponse
from .limits import PoolLimits, Timeouts
from .wheel import NEVER

_OURS = frozenset({b"host", b"content-length", b"transfer-encoding", b"connection"})
# Origins whose connections are kept at a time; the one used longest ago goes first.
_MAX_ORIGINS = 64


def _exception_for(error: errors.HttpError) -> type[httpx.TransportError]:
    match error:
        case errors.ConnectTimeout():
            return httpx.ConnectTimeout
        case errors.ConnectError():
            return httpx.ConnectError
        case errors.PoolTimeout():
            return httpx.PoolTimeout
        case errors.WriteTimeout():
            return httpx.WriteTimeout
        case errors.DeadlineExceeded(bytes_sent=False):
            return httpx.ConnectTimeout  # nothing was sent, and callers of httpx read that from this type
        case errors.ReadTimeout() | errors.DeadlineExceeded():
            return httpx.ReadTimeout
        case errors.ConnectionReset():
            return httpx.ReadError
    return httpx.RemoteProtocolError


class TriviumTransport(httpx.AsyncBaseTransport):
    """An httpx transport. One per event loop; close it with the client that uses it."""

    def __init__(
        self,
        *,
        limits: PoolLimits = DEFAULT_LIMITS,
        tls: ssl.SSLContext | None = None,
        socket_path: str | None = None,
        current_deadline: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._limits = limits
        self._tls = tls
        self._socket_path = socket_path
        self._current_deadline = current_deadline
        self._clients: OrderedDict[str, HttpClient] = OrderedDict()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises: httpx.TransportError."""
        client = await self._client_for(request.url)
        headers = [(name.lower(), value) for name, value in request.headers.raw if name.lower() not in _OURS]
        body: bytes | httpx.AsyncByteStream | None = None
        if isinstance(request.stream, httpx.ByteStream):
            body = b"".join(request.stream) or None
        elif isinstance(request.stream, httpx.AsyncByteStream):
            body = request.stream
            if (length := request.headers.get("content-length")) is not None:
                headers.append((b"content-length", length.encode("ascii")))
        host = request.headers.get("host", "").encode("ascii")
        deadline = request.extensions.get("deadline") or self._current_deadline()
        try:
            response = await client.open_stream(
                request.method,
                request.url.raw_path.decode("ascii"),
                headers=headers,
                body=body,
                deadline=deadline,
                timeouts=_timeouts(request.extensions.get("timeout", {})),
                host=host or None,
            )
        except errors.HttpError as error:
            raise _exception_for(error)(str(error), request=request) from error
        return httpx.Response(
            response.status,
            headers=list(response.headers),
            stream=_Body(response, request),
            extensions={"http_version": b"HTTP/1.1"},
        )

    async def aclose(self) -> None:
        """Close every connection."""
        while self._clients:
            await self._clients.popitem()[1].aclose()

    async def _client_for(self, url: httpx.URL) -> HttpClient:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        client = self._clients.get(origin)
        if client is None:
            target = f"unix://{self._socket_path}" if self._socket_path is not None else origin
            client = self._clients[origin] = HttpClient(target, limits=self._limits, tls=self._tls)
            if len(self._clients) > _MAX_ORIGINS:
                await self._clients.popitem(last=False)[1].aclose()
        self._clients.move_to_end(origin)
        return client


class _Body(httpx.AsyncByteStream):
    """The body of an answer in httpx's words."""

    def __init__(self, response: StreamedResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except errors.HttpError as error:
            raise _exception_for(error)(str(error), request=self._request) from error

    async def aclose(self) -> None:
        """Give up what was not read."""
        self._response.close()


def _timeouts(phases: dict[str, float | None]) -> Timeouts:
    def phase(name: str) -> float:
        value = phases.get(name)
        return NEVER if value is None else value

    return Timeouts(connect_s=phase("connect"), send_s=phase("write"), read_s=phase("read"))
