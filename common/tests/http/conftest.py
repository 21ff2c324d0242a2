"""A scripted origin on a real socket: it records what it was asked and answers with the bytes it was told."""

import asyncio
import datetime
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def pytest_asyncio_loop_factories(config, item):
    """Everything here must hold on asyncio's own loop and on uvloop."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass
class ReceivedRequest:
    """One request as it came over the wire."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the only value of `name`, or None; a duplicate is a failure of the test."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None


class OriginConnection:
    """The origin's end of one connection, as its script sees it."""

    def __init__(
        self, origin: "ScriptedOrigin", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.origin = origin
        self.reader = reader
        self.writer = writer
        self.number = origin.connections

    async def read_head(self) -> ReceivedRequest | None:
        """Read a request up to its body; None at the end of the connection."""
        try:
            raw = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        line, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        pairs = [(name.lower(), value.strip()) for name, _, value in (text.partition(":") for text in lines)]
        request = ReceivedRequest(line, pairs, b"")
        self.origin.requests.append(request)
        return request

    async def read_request(self) -> ReceivedRequest | None:
        """Read a whole request."""
        request = await self.read_head()
        if request is None:
            return None
        try:
            if request.header("transfer-encoding") == "chunked":
                while size := int((await self.reader.readline()).split(b";")[0], 16):
                    request.body += await self.reader.readexactly(size)
                    await self.reader.readline()
                await self.reader.readline()
            else:
                request.body = await self.reader.readexactly(int(request.header("content-length") or 0))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.origin.broken_requests.append(request)
            return None
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
        """Wait until the peer closes, discarding what it sends."""
        try:
            while await self.reader.read(65536):
                pass
        except ConnectionError:
            pass


async def wait_until(condition: Callable[[], object], limit_s: float = 5.0) -> None:
    """Let the loop turn until `condition` holds."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - the condition is the state of the code under test
            await asyncio.sleep(0)


Script = Callable[[OriginConnection], Awaitable[None]]


@dataclass
class ScriptedOrigin:
    """What an origin saw, and where it listens."""

    script: Script
    requests: list[ReceivedRequest] = field(default_factory=list)
    broken_requests: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    url: str = ""
    port: int = 0
    all_closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        self.all_closed.clear()
        try:
            await self.script(OriginConnection(self, reader, writer))
        except ConnectionError:
            pass
        finally:
            writer.close()
            self.open_connections -= 1
            if not self.open_connections:
                self.all_closed.set()


async def answer_ok(connection: OriginConnection) -> None:
    """The plain script: answer every request with 200 "ok"."""
    while await connection.read_request() is not None:
        connection.answer()


@pytest.fixture(name="wait_until")
def wait_until_fixture() -> Callable[..., Awaitable[None]]:
    """Hand `wait_until` to tests."""
    return wait_until


@pytest.fixture
async def start_origin() -> AsyncIterator[Callable[..., Awaitable[ScriptedOrigin]]]:
    """Start an origin with a script; it stops with the test."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(script: Script = answer_ok, **server_options: object) -> ScriptedOrigin:
        origin = ScriptedOrigin(script)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            try:
                await origin.serve_connection(reader, writer)
            except asyncio.CancelledError:
                pass

        server = await asyncio.start_server(serve, "127.0.0.1", 0, **server_options)
        servers.append(server)
        origin.port = server.sockets[0].getsockname()[1]
        origin.url = f"http://127.0.0.1:{origin.port}"
        return origin

    yield start
    for server in servers:
        server.close()
    for task in list(tasks):
        task.cancel()
    for server in servers:
        await server.wait_closed()
    await asyncio.sleep(0)


@dataclass(frozen=True)
class SelfSigned:
    """A certificate for localhost and the server context that shows it."""

    certificate_path: str
    server_context: ssl.SSLContext


@pytest.fixture(scope="session")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    """Make a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    certificate_path = folder / "certificate.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path = folder / "key.pem"
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_path, key_path)
    return SelfSigned(str(certificate_path), context)
