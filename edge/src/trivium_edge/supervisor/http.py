"""The supervisor's own small HTTP servers, for operators and balancers. Nothing of a client's request is here."""

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import orjson
import uvicorn

JSON = b"application/json"
_MAX_CONNECTIONS = 200


class OperatorServer(uvicorn.Server):
    """uvicorn on a socket that is bound already; the supervisor handles the signals."""

    def __init__(self, app: Any, sock: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                loop="none",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=_MAX_CONNECTIONS,
                timeout_graceful_shutdown=1,
            )
        )
        self._sock = sock

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def run_until_stopped(self) -> None:
        """Serve until `stop`."""
        await self.serve(sockets=[self._sock])

    def stop(self) -> None:
        """Finish and return from `run_until_stopped`."""
        self.should_exit = True


async def answer(send: Any, status: int, body: bytes, media_type: bytes = JSON) -> None:
    """Send one whole answer that nobody may cache."""
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Any, status: int, document: object) -> None:
    """Send one JSON answer."""
    await answer(send, status, orjson.dumps(document))
