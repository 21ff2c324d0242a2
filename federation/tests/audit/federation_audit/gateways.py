"""The two ways to put a query to the engine: in this process over HTTP to the subgraphs, and through its plain server."""

import asyncio
import http.client
import json
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from federation_audit.server import free_port, wait_answer
from trivium_federation.engine import Engine
from trivium_federation.options import EngineOptions
from trivium_federation.transport import SubgraphRequest, SubgraphResponse, TransportError

Ask = Callable[[str], Awaitable[Any]]
OpenGateway = Callable[[str], AbstractContextManager[Ask]]

_START_TIMEOUT_S = 20.0
_CALL_TIMEOUT_S = 10.0


class PlainHttpTransport:
    """A transport of the tests' own: one connection per call, in a thread, so that nothing of ours is between."""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """POST the body to the subgraph's url."""
        status, content_type, body = await asyncio.to_thread(_post, request.url, request.body)
        return SubgraphResponse(status=status, body=body, content_type=content_type)


@contextmanager
def in_process(supergraph_sdl: str, *, interpret_only: bool) -> Iterator[Ask]:
    """The engine itself."""
    engine = Engine.from_sdl(
        supergraph_sdl, PlainHttpTransport(), options=EngineOptions(interpret_only=interpret_only)
    )

    async def ask(query: str) -> Any:
        async with asyncio.timeout(_CALL_TIMEOUT_S):
            answer = await engine.execute(query)
        return json.loads(answer.body)

    yield ask


@contextmanager
def plain_server(supergraph_sdl: str) -> Iterator[Ask]:
    """`python -m trivium_federation serve`, started for one supergraph and stopped by SIGTERM."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".graphql") as file:
        file.write(supergraph_sdl)
        file.flush()
        arguments = ["serve", "--supergraph", file.name, "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen([sys.executable, "-m", "trivium_federation", *arguments])
        try:
            wait_answer(f"http://127.0.0.1:{port}/health", process, _START_TIMEOUT_S)

            async def ask(query: str) -> Any:
                body = json.dumps({"query": query}).encode()
                _, _, answer = await asyncio.to_thread(_post, f"http://127.0.0.1:{port}/graphql", body)
                return json.loads(answer)

            yield ask
        finally:
            process.terminate()
            process.wait(timeout=10)


def _post(url: str, body: bytes) -> tuple[int, str | None, bytes]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=_CALL_TIMEOUT_S)
    try:
        headers = {"content-type": "application/json", "accept": "application/json"}
        connection.request("POST", address.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type"), answer.read()
    except OSError as error:
        raise TransportError(f"no answer from {address.netloc}") from error
    finally:
        connection.close()
