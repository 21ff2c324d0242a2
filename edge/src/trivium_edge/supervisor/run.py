"""`trivium-edge run`: read the configuration, bind, start the workers, serve operators, drain on SIGTERM."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trivium_common.auth.edge_identity import UnusableKey, load_private_key
from trivium_common.observability.logs import setup_logging
from trivium_common.settings import EXIT_CONFIGURATION, LogFormat
from trivium_edge.config.load import LoadedConfig, load_config
from trivium_edge.config.positions import ConfigInvalid
from trivium_edge.supervisor.listeners import CannotListen, bind
from trivium_edge.supervisor.pool import WorkerPool
from trivium_edge.supervisor.reload import Reloader
from trivium_edge.supervisor.state import EdgeState

if TYPE_CHECKING:
    from trivium_edge.supervisor.operators import Operators

log = logging.getLogger(__name__)

_ENDPOINTS = ("proxy", "admin", "status", "metrics")


def run(config_path: str) -> int:
    """Serve until SIGTERM or SIGINT. 0 after a clean end, 2 when it cannot start (one line for each reason)."""
    log_format = os.environ.get("TRIVIUM_LOG") or None
    if log_format not in (None, "json", "text"):
        return _refuse(f"TRIVIUM_LOG: found {log_format!r}, expected json or text")
    try:
        loaded = load_config(config_path, os.environ)
        settings = loaded.config.global_
        load_private_key(
            settings.edge_identity.private_key, is_production=settings.environment == "production"
        )
        listeners = {
            name: bind(
                name, getattr(settings, name), backlog=settings.proxy.backlog if name == "proxy" else 128
            )
            for name in _ENDPOINTS
        }
    except ConfigInvalid as invalid:
        return _refuse(*(str(fault) for fault in invalid.faults))
    except (CannotListen, UnusableKey) as error:
        return _refuse(str(error))
    setup_logging("edge", LogFormat(log_format) if log_format else None)
    # The operators' servers have nothing to say beyond what the supervisor says itself.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    return asyncio.run(Supervisor(config_path, loaded, listeners, log_format).run())


def _refuse(*lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return EXIT_CONFIGURATION


class Supervisor:
    """Starts everything in order, and ends it in the reverse order."""

    def __init__(
        self,
        config_path: str,
        loaded: LoadedConfig,
        listeners: Mapping[str, socket.socket],
        log_format: str | None,
    ) -> None:
        self._listeners = listeners
        self._settings = loaded.config.global_
        self.state = EdgeState(config_path)
        self.pool = WorkerPool(self._settings.workers, [listeners["proxy"]], log_format)
        self.reloader = Reloader(loaded, self.pool, self.state)
        self._operators: Operators | None = None

    async def run(self) -> int:
        """The whole life of the edge."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with asyncio.TaskGroup() as tasks:
            pool = tasks.create_task(self.pool.run())
            await self.reloader.put_first_in_force()
            loop.add_signal_handler(signal.SIGHUP, lambda: tasks.create_task(self.reloader.reload("SIGHUP")))
            tasks.create_task(self._serve_operators())
            watch = tasks.create_task(self.reloader.watch())
            announce = tasks.create_task(self._announce())
            await stop.wait()
            log.info("draining", extra={"timeout_s": self._settings.drain_timeout})
            # The status port says "draining" until the very end, so that balancers look elsewhere.
            self.state.is_draining = True
            watch.cancel()
            announce.cancel()
            draining = tasks.create_task(self.pool.drain(self._settings.drain_timeout))
            # The workers stop accepting; closed here as well, the socket refuses instead of queueing for nobody.
            self._listeners["proxy"].close()
            cut = await draining
            await pool
            if self._operators is not None:
                self._operators.stop()
        log.info("stopped", extra={"requests_cut": cut})
        return 0

    async def _announce(self) -> None:
        await self.pool.wait_serving(self.pool.count)
        ports = {name: sock.getsockname()[1] for name, sock in self._listeners.items()}
        log.info("the edge serves", extra={"ports": ports, "workers": self.pool.count})

    async def _serve_operators(self) -> None:
        from trivium_edge.supervisor.operators import Operators

        self._operators = Operators(self, self._listeners)
        await self._operators.run()
