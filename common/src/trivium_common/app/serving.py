"""`run_app`: one process that serves one app with uvicorn until it is told to stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import uvicorn
from fastapi import FastAPI

from trivium_common.app.protocol import BffProtocol
from trivium_common.app.settings import BffSettings
from trivium_common.auth.edge_identity import UnusableKey
from trivium_common.observability.logs import setup_logging
from trivium_common.settings import exit_with

GRACE_S = 3
_BACKLOG = 2048
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

S = TypeVar("S", bound=BffSettings)
log = logging.getLogger(__name__)


def run_app(app_factory: Callable[[S], FastAPI], settings: S) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight (3 s at most) and return.

    Leaves with exit code 2 and one line when the port is taken or a key cannot be used.
    """
    setup_logging(settings.service, settings.log)
    # uvicorn's own start and stop lines repeat what we log.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        app = app_factory(settings)
    except UnusableKey as error:
        raise exit_with(str(error)) from None
    listener = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BffProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        # Longer than an edge keeps an idle connection (60 s), so that a request never meets a closing one.
        timeout_keep_alive=75,
    )
    _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which here ends with exit code 0 after a stop signal and logs in our form."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn's own raises the signal again after the shutdown, which would kill the process.
        loop = asyncio.get_running_loop()
        for stop in _STOP_SIGNALS:
            loop.add_signal_handler(stop, self.handle_exit, stop, None)
        try:
            yield
        finally:
            for stop in _STOP_SIGNALS:
                loop.remove_signal_handler(stop)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            log.info("serving", extra={"host": host, "port": port})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("stopping")
        await super().shutdown(sockets)
        log.info("stopped")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise exit_with(
            f"TRIVIUM_PORT: cannot listen on {host}:{port} ({error.strerror or error}); "
            "stop what listens there, or set TRIVIUM_HOST and TRIVIUM_PORT"
        ) from None
    return listener
