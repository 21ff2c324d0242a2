"""uvicorn's HTTP protocol with what it lacks: bounds on the head, one Host, and handlers that end with their client.

Bodies need no timeout here: they are read by handlers, which run under the gate's deadline.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADER_COUNT = 100
HEAD_TIMEOUT_S = 10.0


class BffProtocol(HttpToolsProtocol):
    """One connection. Heads that are too long, too slow or ambiguous get 400 and the end of the connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # uvicorn switches on a lenient flag of the parser; a fresh one is strict.
        self.parser = httptools.HttpRequestParser(self)
        self._head_bytes = 0
        self._is_in_head = True
        self._head_timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser, within the bounds of a head."""
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES + len(data):
                self.send_400_response("The request head is too long.")
                return
        super().data_received(data)
        # A head nearly always comes in one piece; only one that does not costs a timer.
        if self._is_in_head and self._head_bytes and self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)

    def on_headers_complete(self) -> None:
        """The head is there: refuse what a proxy and we might read differently (RFC 9112 §3.2)."""
        self._is_in_head = False
        self._stop_timer()
        hosts = sum(name == b"host" for name, _ in self.headers)
        head_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if hosts != 1 or len(self.headers) > MAX_HEADER_COUNT or head_bytes > MAX_HEAD_BYTES:
            raise ValueError("head refused")  # the parser wraps it, and data_received answers 400
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there; what follows is another head."""
        super().on_message_complete()
        self._is_in_head = True
        self._head_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left: its handler stops, and so do the handler's calls to upstreams."""
        self._stop_timer()
        super().connection_lost(exc)
        if self._task is not None:
            self._task.cancel()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # The seam where uvicorn makes a request's task, which it hands to nobody. (Its types are not public.)
        async def run_for_client(scope: Any, receive: Any, send: Any) -> None:
            self._task = asyncio.current_task()
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                if not cycle.disconnected:
                    raise
                # The cancellation was ours and has done its work; uvicorn would log it as a fault.
            finally:
                self._task = None

        super()._start_asgi_task(cycle, run_for_client)

    def _give_up(self) -> None:
        if self._is_in_head and not self.transport.is_closing():
            self.send_400_response("The request head took too long.")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
