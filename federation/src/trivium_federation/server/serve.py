"""Starts the plain server and ends it: bind, serve until SIGTERM or SIGINT, drain, exit."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from trivium_common.http import HttpServer, ServerLimits
from trivium_federation.engine import Engine
from trivium_federation.errors import SupergraphError
from trivium_federation.options import EngineOptions
from trivium_federation.server.app import FederationApp
from trivium_federation.server.http_transport import HttpTransport

# A start that cannot succeed, as for every process of the product.
EXIT_UNUSABLE = 2
_DRAIN_S = 4.0
# Requests make little garbage in cycles; the default threshold would scan the whole schema every few requests.
# Plans that leave the cache are such cycles, so that full collections must not become too rare.
_GC_THRESHOLDS = (100_000, 5, 5)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How to serve. `port` 0 takes a free one. `read_supergraph` turns the file into supergraph SDL."""

    supergraph: Path
    read_supergraph: Callable[[Path], str] = Path.read_text
    host: str = "127.0.0.1"
    port: int = 4000
    forward_headers: tuple[str, ...] = ()
    timeout_s: float = 30.0
    options: EngineOptions = field(default_factory=EngineOptions)


def run_server(settings: ServeSettings) -> int:
    """Serve until told to stop. Returns the exit code; a start that fails says why in one line on stderr."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except (OSError, SupergraphError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot serve {settings.supergraph} on {settings.host}:{settings.port}: {error}\n")
        return EXIT_UNUSABLE
    return 0


async def _serve(settings: ServeSettings) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    options = settings.options
    transport = HttpTransport(
        timeout_s=settings.timeout_s, max_answer_bytes=options.limits.max_subgraph_answer_bytes
    )
    engine = Engine.from_sdl(settings.read_supergraph(settings.supergraph), transport, options=options)
    max_body_bytes = options.limits.max_document_bytes + options.limits.max_variables_bytes
    app = FederationApp(
        engine,
        forward_headers=settings.forward_headers,
        timeout_s=settings.timeout_s,
        max_body_bytes=max_body_bytes,
    )
    server = HttpServer(app.handle, limits=ServerLimits(max_body_bytes=max_body_bytes))
    listener = await server.listen(host=settings.host, port=settings.port)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    port = listener.sockets[0].getsockname()[1]
    sys.stdout.write(f"serving http://{settings.host}:{port}/graphql\n")
    sys.stdout.flush()
    await stopped.wait()
    await server.drain(_DRAIN_S)
    await transport.aclose()


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop
