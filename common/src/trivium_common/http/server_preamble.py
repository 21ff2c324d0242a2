"""The start of a connection whose first bytes must be a PROXY header: read it, then hand over to HTTP."""

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, cast

from .proxy_protocol import InvalidPreamble, ProxyProtocol, parse_preamble
from .server_connection import ServerConnection
from .wheel import NEVER

if TYPE_CHECKING:
    from .server import HttpServer

logger = logging.getLogger("trivium.http")


class PreambleConnection(asyncio.Protocol):
    """Refuses peers that are not trusted, headers that are malformed, and both when they take too long."""

    def __init__(self, server: "HttpServer", proxy_protocol: ProxyProtocol) -> None:
        self._server = server
        self._proxy_protocol = proxy_protocol
        self._received = bytearray()
        self._peer = ""
        self.expires_at = self.next_look_at = NEVER

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else ""
        if not self._proxy_protocol.trusts(self._peer):
            self._refuse("it is not a trusted proxy")
        else:
            self._server.wheel.watch(self, monotonic() + self._server.limits.header_timeout_s)

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            preamble = parse_preamble(self._received)
        except InvalidPreamble as error:
            self._refuse(str(error))
            return
        if preamble is None:
            return
        self.expires_at = NEVER
        connection = ServerConnection(self._server, preamble.source)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        if len(self._received) > preamble.length:
            connection.data_received(bytes(self._received[preamble.length :]))

    def expire(self, _: float) -> None:
        """Called by the timer wheel."""
        self._refuse("it did not come in time")

    def _refuse(self, reason: str) -> None:
        logger.warning("no PROXY header from %s: %s", self._peer, reason)
        self._transport.abort()
