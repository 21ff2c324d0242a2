"""What every upstream has round its application: request ids, the log line, probes, control and faults."""

import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trivium_demo.control import Control
from trivium_demo.faults import FaultInjector
from trivium_demo.problems import request_id_var
from trivium_demo.settings import Settings

log = logging.getLogger("trivium_demo.requests")

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class Service:
    """An upstream's application, and a check that raises when its data cannot be read."""

    app: ASGIApp
    check: Callable[[], object]


def wrap_service(service: Service, settings: Settings) -> ASGIApp:
    """The whole application: request id → log → probes → control → faults → the service."""
    injector = FaultInjector(service.app)
    app: ASGIApp = Control(injector, injector) if settings.has_control else injector
    app = Probes(app, service.check)
    if settings.logs_requests:
        app = RequestLog(app)
    return RequestId(app)


class RequestId:
    """Keeps the caller's X-Request-ID where it is sound, makes one otherwise, and echoes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request and pass it on."""
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16).encode()
        request_id_var.set(request_id.decode())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        await self._app(scope, receive, send_with_id)


class RequestLog:
    """Writes one line for each request; off by default, since a demo's requests are many and dull."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, then log; a request that got no answer has status 0."""
        status = 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        started_s = self._clock()
        try:
            await self._app(scope, receive, send_noting)
        finally:
            fields = {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "duration_ms": round((self._clock() - started_s) * 1000, 2),
                "request_id": request_id_var.get(),
            }
            log.info("request", extra=fields)


class Probes:
    """Answers /livez, /readyz and /health, untouched by faults."""

    def __init__(self, app: ASGIApp, check: Callable[[], object]) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the probes, pass everything else on."""
        path = scope["path"]
        if path == "/livez":
            await _json(b'{"status":"ok"}', 200)(scope, receive, send)
        elif path in ("/readyz", "/health"):
            await self._ready()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _ready(self) -> Response:
        try:
            self._check()
        except Exception:
            log.exception("the data cannot be read")
            return _json(b'{"status":"unavailable","checks":{"data":"unavailable"}}', 503)
        return _json(b'{"status":"ok","checks":{"data":"ok"}}', 200)


def _json(body: bytes, status: int) -> Response:
    return Response(body, status_code=status, media_type="application/json")
