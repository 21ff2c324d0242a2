"""Opens connections with redis-py (TLS, ACL, database, Sentinel) and hands their sockets to our own protocol.

redis-py knows how to get in; on the hot path its own calls cost twenty times a shared link's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import RedisError, ResponseError

from trivium_common.redis.target import RedisTarget, Topology


class CannotConnect(Exception):
    """No usable connection could be made; the text says why and holds no secret."""


class OpenConnection(Protocol):
    """A connection whose socket now speaks through another protocol. Keep it for as long as the socket."""

    def release(self) -> None:
        """Forget the socket, once it is closed."""


Connect = Callable[[asyncio.Protocol], Awaitable[OpenConnection]]


class _Handover:
    """Mixed into redis-py's connections: gives their transport away once they are logged in."""

    _reader: Any
    _writer: Any

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let `protocol` speak from now on."""
        transport = self._writer.transport
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    def release(self) -> None:
        """Forget the socket, once it is closed."""
        self._reader = self._writer = None


class _Tcp(_Handover, Connection):
    pass


class _Tls(_Handover, SSLConnection):
    pass


class _Unix(_Handover, UnixDomainSocketConnection):
    pass


_CLASSES: Mapping[object, Callable[..., _Tcp | _Tls | _Unix]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def connector(
    target: RedisTarget,
    *,
    node: tuple[str, int] | None = None,
    timeout_s: float,
    preamble: Sequence[tuple[bytes, ...]] = (),
) -> Connect:
    """How to connect to `target`'s one server or present master, or to `node` of a Cluster.

    `preamble`: commands sent on each new connection (scripts to load); it may grow later.
    """

    async def connect(protocol: asyncio.Protocol) -> OpenConnection:
        try:
            async with asyncio.timeout(timeout_s):
                where = node or await _locate(target, timeout_s)
                return await _open(target.options, where, timeout_s, preamble, protocol)
        except (RedisError, OSError, ValueError) as error:
            raise CannotConnect(str(error) or type(error).__name__) from error

    return connect


async def _locate(target: RedisTarget, timeout_s: float) -> tuple[str, int] | None:
    if target.topology is Topology.SENTINEL:
        options = {
            "socket_timeout": timeout_s,
            "socket_connect_timeout": timeout_s,
            **target.sentinel_options,
        }
        sentinels = Sentinel(list(target.nodes), sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        async with sentinels as sentinel:
            host, port = await sentinel.discover_master(target.service)
            return str(host), int(port)
    return target.nodes[0] if target.nodes else None


async def _open(
    options: Mapping[str, object],
    where: tuple[str, int] | None,
    timeout_s: float,
    preamble: Sequence[tuple[bytes, ...]],
    protocol: asyncio.Protocol,
) -> OpenConnection:
    kwargs: dict[str, Any] = {
        **options,
        # RESP2: nothing may arrive that was not asked for.
        "protocol": 2,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
    }
    make = _CLASSES[kwargs.pop("connection_class", Connection)]
    if where is not None:
        kwargs["host"], kwargs["port"] = where
    connection = make(**kwargs)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        await _check_role(connection)
        for command in preamble:
            await connection.send_command(*command)
            await connection.read_response()
        connection.hand_over(protocol)
    except BaseException:
        await connection.disconnect(nowait=True)
        raise
    return connection


async def _check_role(connection: _Tcp | _Tls | _Unix) -> None:
    await connection.send_command("ROLE")
    try:
        role = await connection.read_response()
    except ResponseError:
        return  # this user may not ask; a replica will refuse the first write anyway
    if role[0] != b"master":
        raise CannotConnect("the server is a read-only replica")
