"""The keep-alive connections to one origin: a bounded number, handed out to callers in the order they asked."""

import asyncio
import ssl
from collections import deque
from time import monotonic

from .connection import ClientConnection
from .errors import ConnectError, ConnectTimeout, DeadlineExceeded, PoolTimeout
from .limits import PoolLimits
from .origin import Origin
from .wheel import TimerWheel, wheel_of


class ConnectionPool:
    """Connections to one origin. Belongs to the event loop that uses it first."""

    def __init__(self, origin: Origin, limits: PoolLimits, tls: ssl.SSLContext | None = None) -> None:
        self._origin = origin
        self._limits = limits
        self._tls = tls
        self._wheel: TimerWheel | None = None
        self._idle: list[ClientConnection] = []
        self._in_use: set[ClientConnection] = set()
        self._connecting = 0
        # A waiter's result is a free connection, or None: there is room, open your own.
        self._waiters: deque[asyncio.Future[ClientConnection | None]] = deque()
        self._is_closed = False
        self.max_header_bytes = limits.max_header_bytes
        self.idle_s = limits.idle_s

    @property
    def size(self) -> int:
        """Connections that are open or being opened."""
        return len(self._idle) + len(self._in_use) + self._connecting

    @property
    def idle(self) -> int:
        """Connections that wait for a call."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Callers that wait for a connection."""
        return len(self._waiters)

    def checkout_nowait(self) -> ClientConnection | None:
        """Return an idle connection, the one used last first, or None."""
        if not self._idle:
            return None
        connection = self._idle.pop()
        self._in_use.add(connection)
        return connection

    async def checkout(self, connect_s: float, deadline: float) -> ClientConnection:
        """Return an idle connection, open one, or wait in line for one. Needs a running Task.

        Safe to cancel: the place in line and the slot are given up.
        Raises: ConnectError, ConnectTimeout, PoolTimeout, DeadlineExceeded; nothing was sent.
        """
        while True:
            connection = self.checkout_nowait()
            if connection is not None:
                return connection
            if self._is_closed:
                raise ConnectError(f"the client of {self._origin.url} is closed")
            if self.size < self._limits.max_connections:
                return await self._connect(connect_s, deadline)
            connection = await self._wait_in_line(deadline)
            if connection is None:
                self._connecting -= 1  # the room that was kept for us
            elif connection.is_open:
                return connection

    async def _wait_in_line(self, deadline: float) -> ClientConnection | None:
        if len(self._waiters) >= self._limits.max_waiting:
            raise PoolTimeout(
                f"{len(self._waiters)} calls wait for a connection to {self._origin.url} already"
            )
        waiter: asyncio.Future[ClientConnection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        until = min(monotonic() + self._limits.wait_s, deadline)
        try:
            async with asyncio.timeout_at(until):
                return await waiter
        except BaseException as error:
            self._leave_line(waiter)
            if isinstance(error, TimeoutError):
                raise self._timeout(PoolTimeout, "no connection became free", deadline) from None
            raise

    def _leave_line(self, waiter: "asyncio.Future[ClientConnection | None]") -> None:
        if waiter.done() and not waiter.cancelled():
            # Served and cancelled in the same moment: pass on what was given.
            connection = waiter.result()
            if connection is None:
                self._connecting -= 1
                self._call_next()
            elif connection.is_open:
                self.take_back(connection)
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    async def _connect(self, connect_s: float, deadline: float) -> ClientConnection:
        if self._wheel is None:
            self._wheel = wheel_of(asyncio.get_running_loop())
        self._connecting += 1
        connection = ClientConnection(self, self._wheel)
        try:
            async with asyncio.timeout_at(min(monotonic() + connect_s, deadline)):
                await self._origin.open_connection(lambda: connection, self._tls)
        except TimeoutError:
            self._drop_half_open(connection)
            raise self._timeout(ConnectTimeout, "could not connect", deadline) from None
        except (OSError, ssl.SSLError) as error:
            self._drop_half_open(connection)
            raise ConnectError(f"cannot connect to {self._origin.url}: {error}") from error
        except BaseException:
            self._drop_half_open(connection)
            raise
        self._connecting -= 1
        if not connection.is_open:
            self._call_next()
            raise ConnectError(f"{self._origin.url} closed the connection at once")
        self._in_use.add(connection)
        return connection

    def _drop_half_open(self, connection: ClientConnection) -> None:
        self._connecting -= 1
        connection.close()
        self._call_next()

    def _timeout(self, kind: type[ConnectTimeout | PoolTimeout], what: str, deadline: float) -> Exception:
        if monotonic() >= deadline:
            return DeadlineExceeded(f"{what} to {self._origin.url} before the deadline")
        return kind(f"{what} to {self._origin.url} in time")

    # --- told by connections

    def take_back(self, connection: ClientConnection) -> None:
        """Keep a connection whose call is over, or hand it to the first in line."""
        if not connection.is_open:
            return
        if connection.served >= self._limits.max_requests_per_connection or self._is_closed:
            connection.close()
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._in_use.discard(connection)
        if len(self._idle) >= self._limits.max_idle:
            self._in_use.add(connection)
            connection.close()
            return
        self._idle.append(connection)

    def forget(self, connection: ClientConnection) -> None:
        """Free the slot of a connection that is gone."""
        if connection in self._in_use:
            self._in_use.discard(connection)
        elif connection in self._idle:
            self._idle.remove(connection)
        else:
            return  # it never got as far as a slot of its own
        self._call_next()

    def _call_next(self) -> None:
        while self._waiters and self.size < self._limits.max_connections:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._connecting += 1  # kept for the one who is called
                waiter.set_result(None)
                return

    def close(self) -> None:
        """Close every connection; calls in flight fail."""
        self._is_closed = True
        for connection in [*self._idle, *self._in_use]:
            connection.close()
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(ConnectError(f"the client of {self._origin.url} was closed"))
        self._waiters.clear()
