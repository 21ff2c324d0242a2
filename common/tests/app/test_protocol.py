"""What may arrive on a BFF's socket, byte by byte, and what happens when its client leaves."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from trivium_common.app import protocol
from trivium_common.app.testing import edge_headers, serve_app

IDENTITY = "x-edge-identity: " + edge_headers("sample", "u1")["x-edge-identity"]


@pytest.fixture
async def port(app: FastAPI) -> AsyncIterator[int]:
    async with serve_app(app) as url:
        yield int(url.rpartition(":")[2])


async def exchange(port: int, *parts: bytes) -> bytes:
    """Send the parts one by one; the answer up to the end of the connection, which may come before the last part."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        async with asyncio.timeout(10):
            for part in parts:
                writer.write(part)
                await writer.drain()
            while chunk := await reader.read(65536):
                answer += chunk
            return answer
    except ConnectionError:
        return answer
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 100 + b"\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /livez?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["no host", "two hosts", "two lengths", "space", "many headers", "long header", "long url"],
)
async def test_an_ambiguous_or_oversized_head_is_refused_and_the_connection_closed(
    port: int, head: bytes
) -> None:
    answer = await exchange(port, head)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in answer


async def test_a_header_that_never_ends_is_cut_off(port: int) -> None:
    answer = await exchange(port, b"GET /livez HTTP/1.1\r\nHost: a\r\nX: ", *[b"a" * 10_000] * 50)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")  # a reset may overtake the answer


async def test_a_head_that_comes_too_slowly_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.05)

    answer = await exchange(port, b"GET /livez HTTP/1.1\r\nHos")

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_requests_on_one_connection_are_answered_in_order(port: int) -> None:
    request = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
    last = b"GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    answer = await exchange(port, request + request[:20], request[20:] + last)

    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.index(b"alive") < answer.index(b"ready")


async def test_a_handler_ends_when_its_client_leaves_and_that_is_no_error(
    app: FastAPI, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    entered, ended = asyncio.Event(), asyncio.Event()

    @app.get("/wait")
    async def wait() -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /wait HTTP/1.1\r\nHost: a\r\n{IDENTITY}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        await entered.wait()
        writer.close()
        await ended.wait()

    assert caplog.records == []
