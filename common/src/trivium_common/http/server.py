"""An HTTP/1.1 server on inherited sockets, addresses or Unix sockets; each request is a coroutine of `handler`."""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

from .exchange import Exchange
from .headers import Pair
from .limits import ServerLimits
from .proxy_protocol import ProxyProtocol
from .server_connection import ServerConnection
from .server_preamble import PreambleConnection
from .wheel import wheel_of

_E = TypeVar("_E", bound=Exchange)
DEFAULT_LIMITS = ServerLimits()


class HttpServer:
    """All listeners and connections that one handler serves in one process.

    `handler` is a coroutine function that takes an exchange and answers it; it is stepped by the connection,
    so what needs a Task goes through `exchange.in_task`. `exchange_type` may carry attributes of its own.
    Must be made inside a running loop.
    """

    def __init__(
        self,
        handler: Callable[[_E], Coroutine[Any, Any, None]],
        *,
        limits: ServerLimits = DEFAULT_LIMITS,
        exchange_type: Callable[[ServerConnection, str, bytes, list[Pair], dict[bytes, bytes]], _E]
        | None = None,
        proxy_protocol: ProxyProtocol | None = None,
    ) -> None:
        self.handler: Callable[[Any], Coroutine[Any, Any, None]] = handler
        self.make_exchange: Callable[
            [ServerConnection, str, bytes, list[Pair], dict[bytes, bytes]], Exchange
        ] = exchange_type or Exchange
        self.limits = limits
        self.proxy_protocol = proxy_protocol
        self.wheel = wheel_of(asyncio.get_running_loop())
        self.in_flight = 0
        self.is_draining = False
        self._connections: set[ServerConnection] = set()
        self.listeners: list[asyncio.Server] = []
        self._all_gone: asyncio.Future[None] | None = None

    @property
    def open_connections(self) -> int:
        """Connections that clients hold at this moment."""
        return len(self._connections)

    async def listen(
        self,
        sock: socket.socket | None = None,
        *,
        host: str | None = None,
        port: int = 0,
        path: str | os.PathLike[str] | None = None,
        tls: ssl.SSLContext | None = None,
        backlog: int = 1024,
    ) -> asyncio.Server:
        """Accept connections on a bound socket, on `host` and `port`, or on a Unix socket at `path`."""
        loop = asyncio.get_running_loop()

        def connect() -> ServerConnection | PreambleConnection:
            if self.proxy_protocol is None:
                return ServerConnection(self)
            return PreambleConnection(self, self.proxy_protocol)

        if path is not None:
            listener = await loop.create_unix_server(connect, path, backlog=backlog, ssl=tls)
        elif sock is not None:
            listener = await loop.create_server(connect, sock=sock, backlog=backlog, ssl=tls)
        else:
            listener = await loop.create_server(connect, host, port, backlog=backlog, ssl=tls)
        self.listeners.append(listener)
        return listener

    async def drain(self, timeout_s: float) -> None:
        """Stop accepting, let requests in flight end, then close what is left. Needs a running Task."""
        self.is_draining = True
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()
        for connection in list(self._connections):
            connection.is_draining = True
            connection.close_if_idle()
        if self._connections:
            self._all_gone = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout_at(monotonic() + timeout_s):
                    await self._all_gone
            except TimeoutError:
                pass
        for connection in list(self._connections):
            connection.abort()

    # --- told by connections

    def admit(self, connection: ServerConnection) -> bool:
        """Take a new connection in, or refuse it because there are too many."""
        if len(self._connections) >= self.limits.max_connections or self.is_draining:
            return False
        self._connections.add(connection)
        return True

    def forget(self, connection: ServerConnection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        if self._all_gone is not None and not self._connections and not self._all_gone.done():
            self._all_gone.set_result(None)


async def serve(
    handler: Callable[[Exchange], Coroutine[Any, Any, None]],
    sock: socket.socket | None = None,
    *,
    host: str | None = None,
    port: int = 0,
    path: str | os.PathLike[str] | None = None,
    limits: ServerLimits = DEFAULT_LIMITS,
    tls: ssl.SSLContext | None = None,
) -> HttpServer:
    """Start a server with one listener; end it with `await server.drain(timeout_s)`."""
    server = HttpServer(handler, limits=limits)
    await server.listen(sock, host=host, port=port, path=path, tls=tls)
    return server
