"""Binds the port and serves one application until SIGTERM or SIGINT."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from trivium_demo.settings import Settings, StartFailure
from trivium_demo.transport import TransportHttpProtocol

log = logging.getLogger(__name__)

# Requests under way may end; then their connections are cut, which ends those that hang; then they are cancelled.
_CUT_AFTER_S = 0.6
_CANCEL_AFTER_S = 1
_BACKLOG = 1024
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def listen(settings: Settings) -> socket.socket:
    """The listening socket.

    Raises: StartFailure when the address cannot be bound.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[
            0
        ]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise StartFailure(
            f"TRIVIUM_PORT: {settings.service} cannot listen on {where} ({error.strerror}): "
            f"stop what uses it (`ss -ltnp`), or set TRIVIUM_HOST and TRIVIUM_PORT"
        ) from error
    return listener


def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; two seconds later it is over."""
    config = uvicorn.Config(
        app,
        http=TransportHttpProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Control trusts the peer's address: X-Forwarded-For must not replace it.
        proxy_headers=False,
        backlog=_BACKLOG,
        # Longer than clients keep idle connections, so that it is they who close.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_CANCEL_AFTER_S,
    )
    server = _Server(config)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
    log.info("stopped")


class _Server(uvicorn.Server):
    """uvicorn with our start line, and signals that end it with exit code 0: uvicorn raises them again."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where: from here on requests are answered and signals are heeded."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            log.info("listening", extra={"host": host, "port": port})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop within two seconds, whatever requests are doing."""
        asyncio.get_running_loop().call_later(_CUT_AFTER_S, self._cut_connections)
        await super().shutdown(sockets)

    def _cut_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)
                # A second signal finds us on the way out: it must not change the exit code.
                signal.signal(number, signal.SIG_IGN)
