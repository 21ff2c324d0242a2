"""The way from an ASGI application to its TCP connection, which only injected faults may go."""

import asyncio
import socket
import struct

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_EXTENSION = "trivium.transport"
_LINGER_ZERO = struct.pack("ii", 1, 0)


class TransportHttpProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn picks httptools or h11
    """uvicorn's HTTP protocol, which also puts the connection's transport into each request's scope."""

    app: ASGIApp

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wrap the application for this connection."""
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[_EXTENSION] = transport
            await app(scope, receive, send)

        self.app = with_transport


def close_connection(scope: Scope) -> None:
    """End the connection after what was written: the client finds the body shorter than announced."""
    transport: asyncio.Transport = scope["extensions"][_EXTENSION]
    transport.close()


def reset_connection(scope: Scope) -> None:
    """Send a TCP reset: what was not yet sent is thrown away and the client sees ECONNRESET."""
    transport: asyncio.Transport = scope["extensions"][_EXTENSION]
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
