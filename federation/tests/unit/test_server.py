"""The plain server: its own process, real sockets on both sides."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import orjson
import pytest

from trivium_common.http import Exchange, HttpClient, serve


async def catalog(exchange: Exchange) -> None:
    """A subgraph that answers with what it was sent in one header."""
    await exchange.read_body(100_000)
    tenant = exchange.fields.get(b"x-tenant", b"nobody").decode()
    secret = exchange.fields.get(b"cookie", b"no cookie").decode()
    body = orjson.dumps({"data": {"book": {"title": f"{tenant}, {secret}"}}})
    exchange.respond(200, [(b"content-type", b"application/json")], body)


@pytest.fixture
async def origin(library_sdl: str, tmp_path: Path):
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    subgraph = await serve(catalog, listening)
    file = tmp_path / "supergraph.graphql"
    file.write_text(library_sdl.replace("http://catalog.test", f"http://127.0.0.1:{port}"))
    command = ["-m", "trivium_federation", "serve", "--supergraph", str(file), "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--forward-header",
        "X-Tenant",
        stdout=asyncio.subprocess.PIPE,
        env=os.environ,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield line.decode().split()[1].removesuffix("/graphql")
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 30)
        await subgraph.drain(1)
    assert code == 0


async def test_it_answers_health_and_graphql_and_forwards_only_named_headers(origin: str):
    """One process from start to SIGTERM."""
    client = HttpClient(origin)
    headers = [(b"content-type", b"application/json"), (b"x-tenant", b"acme"), (b"cookie", b"secret")]
    body = orjson.dumps({"query": '{ book(isbn: "1") { title } }'})

    health = await client.request("GET", "/health")
    answer = await client.request("POST", "/graphql", headers=headers, body=body)
    plain = await client.request("POST", "/graphql", headers=[(b"content-type", b"text/plain")], body=body)
    got = await client.request("GET", "/graphql?query={a}")
    broken = await client.request("POST", "/graphql", headers=headers, body=b"[" * 50_000)
    await client.aclose()

    assert (health.status, health.body) == (200, b"OK")
    assert orjson.loads(answer.body) == {"data": {"book": {"title": "acme, no cookie"}}}
    assert (plain.status, got.status, broken.status) == (415, 405, 400)


async def test_a_start_that_cannot_succeed_says_so_in_one_line(tmp_path: Path):
    """Exit code 2, no traceback."""
    file = tmp_path / "broken.graphql"
    file.write_text("type Query {")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "trivium_federation",
        "serve",
        "--supergraph",
        str(file),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert errors.decode().count("\n") == 1
    assert "1:13: Syntax Error" in errors.decode()


@pytest.mark.parametrize(
    ("type_of_b", "code", "says"),
    [("Int", 0, "/graphql"), ("Strin", 2, "INVALID_GRAPHQL: Unknown type 'Strin'")],
)
async def test_it_composes_a_list_of_subgraphs_or_says_why_not(
    tmp_path: Path, type_of_b: str, code: int, says: str
):
    """`serve --subgraphs`: one command from subgraph schemas to a router."""
    link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"]) '
    sdl = {
        "first": link + 'type Query { t: T } type T @key(fields: "id") { id: ID! a: Int }',
        "second": link + f'type T @key(fields: "id") {{ id: ID! b: {type_of_b} }}',
    }
    file = tmp_path / "subgraphs.json"
    file.write_bytes(
        orjson.dumps([{"name": name, "url": "http://127.0.0.1:1", "sdl": text} for name, text in sdl.items()])
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "trivium_federation", "serve", "--subgraphs", str(file), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    if code == 0:
        process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == code
    assert says in line.decode()
