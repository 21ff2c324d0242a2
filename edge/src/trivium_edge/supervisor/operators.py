"""Status, metrics and admin, each on its own port, inside of the supervisor. Loaded after the workers were started."""

import asyncio
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from trivium_edge.supervisor.http import OperatorServer
from trivium_edge.supervisor.metrics import MetricsApp
from trivium_edge.supervisor.status import StatusApp

if TYPE_CHECKING:
    from trivium_edge.supervisor.run import Supervisor


class Operators:
    """The three servers."""

    def __init__(self, supervisor: "Supervisor", listeners: Mapping[str, socket.socket]) -> None:
        self._supervisor = supervisor
        self._listeners = listeners
        self._servers: list[OperatorServer] = []
        self._is_stopping = False

    async def run(self) -> None:
        """Serve until `stop`."""
        pool, state = self._supervisor.pool, self._supervisor.state
        async with asyncio.TaskGroup() as tasks:
            self._start(tasks, StatusApp(pool, state), "status")
            self._start(tasks, MetricsApp(pool, state), "metrics")
            # FastAPI takes half a second to import; readiness does not wait for it.
            self._start(tasks, await asyncio.to_thread(_make_admin, self._supervisor), "admin")

    def stop(self) -> None:
        """Let `run` return."""
        self._is_stopping = True
        for server in self._servers:
            server.stop()

    def _start(self, tasks: asyncio.TaskGroup, app: object, name: str) -> None:
        if self._is_stopping:
            return
        server = OperatorServer(app, self._listeners[name])
        self._servers.append(server)
        tasks.create_task(server.run_until_stopped(), name=name)


def _make_admin(supervisor: "Supervisor") -> object:
    from trivium_edge.admin.app import create_admin_app

    return create_admin_app(supervisor)
