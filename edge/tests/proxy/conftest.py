"""The data path on real sockets: a recording origin behind it, a raw client before it, routes without configuration."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
import uvloop

from trivium_common.errors import AuthenticationRequired, InvalidCredential, WrongClientKind
from trivium_common.http import ServerLimits, Timeouts
from trivium_edge.proxy import (
    Identity,
    NodeSpec,
    Proxy,
    ProxySettings,
    Upstream,
    UpstreamSpec,
    compile_rewrite,
)


def pytest_asyncio_loop_factories(config, item):
    """Workers run on uvloop."""
    return {"uvloop": uvloop.new_event_loop}


async def wait_until(condition: Callable[[], object], limit_s: float = 5.0) -> None:
    """Let the loop turn until `condition` holds."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - the condition is the state of the code under test
            await asyncio.sleep(0)


@pytest.fixture(name="wait_until")
def wait_until_fixture():
    """Hand `wait_until` to tests."""
    return wait_until


# --- the origin


@dataclass
class Received:
    """One request as the origin read it."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    is_whole: bool = False

    def header(self, name: str) -> str | None:
        """Return the only value of `name`, or None."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def names(self) -> set[str]:
        """Return the names of all headers."""
        return {name for name, _ in self.headers}


class OriginConnection:
    """The origin's end of one connection."""

    def __init__(self, origin: "Origin", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.origin, self.reader, self.writer = origin, reader, writer

    async def read_head(self) -> Received | None:
        """Read a request up to its body; None at the end of the connection."""
        try:
            raw = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        line, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        pairs = [(name.lower(), value.strip()) for name, _, value in (text.partition(":") for text in lines)]
        request = Received(line, pairs)
        self.origin.requests.append(request)
        return request

    async def read_request(self) -> Received | None:
        """Read a whole request; None when the connection ends first."""
        request = await self.read_head()
        if request is None:
            return None
        try:
            if request.header("transfer-encoding") == "chunked":
                while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                    request.body += await self.reader.readexactly(size)
                    await self.reader.readuntil(b"\r\n")
                await self.reader.readuntil(b"\r\n")
            else:
                request.body = await self.reader.readexactly(int(request.header("content-length") or 0))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        request.is_whole = True
        return request

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.writer.write(data)

    def answer(self, body: bytes = b"ok", status: str = "200 OK", headers: str = "") -> None:
        """Send a proper answer."""
        self.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body)

    def reset(self) -> None:
        """Break the connection with a RST."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def wait_closed_by_peer(self) -> None:
        """Wait until the edge closes the connection."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass


Script = Callable[[OriginConnection], Awaitable[None]]


async def answer_ok(connection: OriginConnection) -> None:
    """Answer every request with 200 "ok"."""
    while await connection.read_request() is not None:
        connection.answer()


@dataclass
class Origin:
    """What the origin saw."""

    script: Script = answer_ok
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    url: str = ""


@pytest.fixture
async def start_origin() -> AsyncIterator[Callable[..., Awaitable[Origin]]]:
    """Start origins that stop with the test."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(script: Script = answer_ok) -> Origin:
        origin = Origin(script)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            origin.connections += 1
            origin.open_connections += 1
            try:
                await origin.script(OriginConnection(origin, reader, writer))
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.close()
                origin.open_connections -= 1

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        origin.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return origin

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    for server in servers:
        await server.wait_closed()
    await asyncio.sleep(0)


# --- the edge

ADA = Identity("u1", "web-app", "web", b"ada", email="ada@example.com", roles=("customer", "beta,admin"))
DEVICE = Identity("d1", "thermostat-d1", "iot", b"d1")


def authenticate_by_table(exchange):
    """Stand in for JWT: a bearer token is the name of an identity."""
    token = exchange.fields.get(b"authorization")
    if token is None:
        raise AuthenticationRequired(extensions={"www_authenticate": 'Bearer realm="trivium"'})
    if token == b"Bearer slow":
        return slow_identity()
    found = {b"Bearer ada": ADA, b"Bearer d1": DEVICE}.get(token)
    if found is None:
        raise InvalidCredential
    return found


async def slow_identity():
    """An identity that needs a Task, as a fetch of keys would."""
    async with asyncio.timeout(5):
        await asyncio.sleep(0)
    return ADA


def authorise_web(exchange, identity):
    """Let web clients in."""
    if identity.kind != "web":
        raise WrongClientKind


class Verdict(NamedTuple):
    """What a limit says."""

    allowed: bool
    limit: int
    remaining: int
    retry_after_s: float
    rule: str


@dataclass
class Counter:
    """A limit that lets `left` requests through."""

    limit: int
    used: int = 0

    def take_nowait(self, exchange, cost=1):
        """Charge one."""
        self.used += cost
        return Verdict(
            self.used <= self.limit, self.limit, max(0, self.limit - self.used), 1.5, "web/per-second"
        )


@dataclass(frozen=True)
class StaticRoute:
    """A compiled route without configuration."""

    upstream: Upstream
    id: str = "web"
    authenticate: object = None
    authorise: object = None
    limits: tuple = ()
    rewrite: object = field(default_factory=lambda: compile_rewrite([("^/api/web/(.*)", "/$1")]))
    audience: str = "trivium-web"
    timeouts: Timeouts = field(default_factory=lambda: Timeouts(3, 10, 30))
    deadline_s: float = 30.0
    max_body_bytes: int = 2 * 1024 * 1024
    request_headers: tuple = ()
    response_headers: tuple = ()
    hidden_headers: frozenset = frozenset()
    hide_limit_headers: bool = False


@dataclass
class StaticTable:
    """Routes by prefix."""

    routes: dict[str, StaticRoute]
    generation: int = 1

    def match(self, method, host, path):
        """Find the route whose prefix fits."""
        for prefix, route in self.routes.items():
            if path.startswith(prefix):
                return route
        return None


class Tables:
    """Holds the table in force."""

    def __init__(self, table) -> None:
        self.table = table


class Records(list):
    """Remembers what was recorded."""

    def record(self, exchange):
        """Keep the exchange."""
        self.append(exchange)


class FakeSigner:
    """Signs nothing; says what it was asked to sign."""

    def __init__(self) -> None:
        self.signed: list[dict] = []

    def sign(self, **claims):
        """Return a token that names subject and audience."""
        self.signed.append(claims)
        return f"signed-{claims['subject']}-{claims['audience']}-{len(self.signed)}"


@dataclass
class Edge:
    """A running data path."""

    proxy: Proxy
    port: int
    records: Records
    tables: Tables
    clients: list["RawClient"] = field(default_factory=list)

    async def connect(self) -> "RawClient":
        """Open a client connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.clients.append(RawClient(reader, writer))
        return self.clients[-1]

    async def ask(self, raw: bytes) -> "Answer":
        """Send raw bytes on a connection of its own and read one answer."""
        client = await self.connect()
        try:
            client.send(raw)
            return await client.read_answer()
        finally:
            client.close()


@pytest.fixture
async def start_edge() -> AsyncIterator[Callable[..., Awaitable[Edge]]]:
    """Start a data path before one origin (or with own routes); it stops with the test."""
    edges: list[Edge] = []
    upstreams: list[Upstream] = []

    async def start(
        origin=None, *, nodes=None, routes=None, settings=None, identity_headers=None, breaker=None, **route
    ):
        if routes is None:
            urls = nodes or [origin.url]
            upstream = Upstream(UpstreamSpec("web", tuple(NodeSpec(url) for url in urls), breaker=breaker))
            routes = {"/api/web/": StaticRoute(upstream, **route)}
        upstreams.extend(route.upstream for route in routes.values())
        tables, records = Tables(StaticTable(routes)), Records()
        proxy = Proxy(tables, settings=settings, identity_headers=identity_headers, recorder=records)
        sock = socket.create_server(("127.0.0.1", 0))
        await proxy.serve(sock)
        edge = Edge(proxy, sock.getsockname()[1], records, tables)
        edges.append(edge)
        return edge

    yield start
    for edge in edges:
        for client in edge.clients:
            client.close()
        await edge.proxy.drain(0.0)
    for upstream in upstreams:
        await upstream.aclose()
    await asyncio.sleep(0)


def impatient(**limits: float) -> ProxySettings:
    """Settings with small bounds."""
    return ProxySettings(limits=ServerLimits(**limits))


@pytest.fixture(name="impatient")
def impatient_fixture():
    """Hand `impatient` to tests."""
    return impatient


# --- the client


@dataclass
class Answer:
    """One answer as a client reads it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the only value of `name`, or None."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None


class Broken(Exception):
    """The connection ended in the middle of an answer."""


class RawClient:
    """A client that sends what it is told, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Send raw bytes."""
        self.writer.write(data)

    async def read_answer(self, *, to_head: bool = False, limit_s: float = 5.0) -> Answer:
        """Read one whole answer. Raises: Broken when it breaks off."""
        async with asyncio.timeout(limit_s):
            try:
                return await self._read_answer(to_head=to_head)
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise Broken from error

    async def _read_answer(self, *, to_head: bool) -> Answer:
        raw = await self.reader.readuntil(b"\r\n\r\n")
        line, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        pairs = [(name.lower(), value.strip()) for name, _, value in (text.partition(":") for text in lines)]
        answer = Answer(int(line.split(" ")[1]), pairs, b"")
        if to_head or answer.status < 200 or answer.status in {204, 304}:
            return answer
        if answer.header("transfer-encoding") == "chunked":
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                answer.body += await self.reader.readexactly(size)
                await self.reader.readuntil(b"\r\n")
            await self.reader.readuntil(b"\r\n")
        elif answer.header("content-length") is not None:
            answer.body = await self.reader.readexactly(int(answer.header("content-length")))
        else:
            answer.body = await self.reader.read()
        return answer

    async def is_closed_by_edge(self, limit_s: float = 5.0) -> bool:
        """Wait until the edge closes the connection without sending more."""
        async with asyncio.timeout(limit_s):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True

    def close(self) -> None:
        """Leave."""
        self.writer.close()


# --- handed to tests, which cannot import this file


class EdgeParts:
    """The pieces that tests put together."""

    ada = ADA
    broken = Broken
    counter = Counter
    timeouts = Timeouts
    route = StaticRoute
    authenticate = staticmethod(authenticate_by_table)
    authorise = staticmethod(authorise_web)

    @staticmethod
    def upstream(weights: dict[str, int]) -> Upstream:
        """An upstream of nodes with weights."""
        return Upstream(UpstreamSpec("web", tuple(NodeSpec(url, weight) for url, weight in weights.items())))


@pytest.fixture
def edge_parts() -> type[EdgeParts]:
    """Hand the pieces to tests."""
    return EdgeParts


@pytest.fixture
def fake_signer() -> FakeSigner:
    """A signer that remembers."""
    return FakeSigner()
