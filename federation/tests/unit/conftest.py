"""A small supergraph and a transport whose answers the test writes down."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from trivium_federation.engine import Engine
from trivium_federation.options import EngineOptions
from trivium_federation.transport import SubgraphRequest, SubgraphResponse, TransportError

Script = dict[str, list[object]]


class ScriptedTransport:
    """Answers each subgraph's requests in the order of its script and remembers what was asked."""

    def __init__(self, script: Script) -> None:
        self._script = {name: list(answers) for name, answers in script.items()}
        self.asked: list[tuple[str, str, dict[str, object]]] = []

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """The next answer: an object becomes JSON, bytes are sent as they are, an error is raised."""
        body = orjson.loads(request.body)
        self.asked.append((request.subgraph, body["query"], body.get("variables", {})))
        answer = self._script[request.subgraph].pop(0)
        if isinstance(answer, TransportError):
            raise answer
        return SubgraphResponse(200, answer if isinstance(answer, bytes) else orjson.dumps(answer))


MakeEngine = Callable[..., tuple[Engine, ScriptedTransport]]


@pytest.fixture(scope="session")
def library_sdl() -> str:
    """The supergraph of the tests: books in two subgraphs."""
    return (Path(__file__).parent / "data" / "library.graphql").read_text()


@pytest.fixture(params=["compiled", "interpreted"])
def make_engine(library_sdl: str, request: pytest.FixtureRequest) -> MakeEngine:
    """An engine over scripted answers, once compiled and once interpreted: a test holds for both."""

    def make(script: Script | None = None, **options: object) -> tuple[Engine, ScriptedTransport]:
        transport = ScriptedTransport(script or {})
        chosen = EngineOptions(interpret_only=request.param == "interpreted", **options)  # type: ignore[arg-type]
        return Engine.from_sdl(library_sdl, transport, options=chosen), transport

    return make
