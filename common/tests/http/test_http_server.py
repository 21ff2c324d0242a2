"""The server's connection with plain handlers, as the federation server uses it."""

import asyncio
import logging

import pytest

from trivium_common.http import ClientLeft, Exchange, HttpClient, HttpError, ServerLimits, serve
from trivium_common.http.stepper import PARK


@pytest.fixture
async def start_server():
    """Start a server with a handler; returns it and a client."""
    started = []

    async def start(handler, **limits):
        server = await serve(handler, host="127.0.0.1", limits=ServerLimits(**limits))
        port = server.listeners[0].sockets[0].getsockname()[1]
        client = HttpClient(f"http://127.0.0.1:{port}")
        started.append((server, client))
        return server, client

    yield start
    for server, client in started:
        await client.aclose()
        await server.drain(0)


async def echo(exchange: Exchange) -> None:
    """Answer with what came."""
    body = await exchange.read_body(1_000_000)
    if body is None:
        exchange.respond(413, [])
    else:
        exchange.respond(200, [(b"x-method", exchange.method.encode()), (b"x-target", exchange.target)], body)


async def test_handler_reads_a_body_and_answers(start_server):
    _, client = await start_server(echo)

    async def parts():
        for _ in range(10):
            yield b"y" * 50_000
            await asyncio.sleep(0)

    for body in (None, b"x", parts()):
        response = await client.request("POST", "/a?b", body=body)
        assert (response.headers.get(b"x-method"), response.headers.get(b"x-target")) == (b"POST", b"/a?b")
    assert len(response.body) == 500_000
    assert client.pool.size == 1


async def test_body_above_the_handlers_bound_is_refused(start_server):
    _, client = await start_server(echo)
    assert (await client.request("POST", "/", body=bytes(2_000_000))).status == 413


async def test_handler_streams_an_answer_at_the_clients_pace(start_server):
    written = 0

    async def handler(exchange):
        nonlocal written
        exchange.begin(200, b"", None)
        for _ in range(500):
            exchange.write(bytes(65536))
            written += 65536
            while exchange.write_paused:
                await PARK
        exchange.end()

    _, client = await start_server(handler)
    received = 0
    async with client.stream("GET", "/") as response:
        assert written < 16_000_000
        async for chunk in response.aiter_bytes():
            received += len(chunk)
    assert received == written == 500 * 65536


async def test_handler_may_await_futures_and_put_the_rest_into_a_task(start_server):
    async def needs_a_task():
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        return b"from a task"

    async def handler(exchange):
        await asyncio.sleep(0.001)
        exchange.respond(200, [], await exchange.in_task(needs_a_task()))

    _, client = await start_server(handler)
    assert (await client.request("GET", "/")).body == b"from a task"


async def test_handler_that_fails_is_logged_and_answered_with_500(start_server, caplog):
    async def handler(exchange):
        raise RuntimeError("secret")

    _, client = await start_server(handler)
    with caplog.at_level(logging.ERROR):
        response = await client.request("GET", "/")
    assert (response.status, response.body) == (500, b"")
    assert "secret" in caplog.text


async def test_client_that_leaves_interrupts_the_handler_and_its_task(start_server, wait_until):
    seen = []

    async def forever():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("task cancelled")
            raise

    async def handler(exchange):
        try:
            seen.append("started")
            await exchange.in_task(forever())
        except ClientLeft:
            seen.append("client left")
            raise

    server, client = await start_server(handler)
    async with asyncio.TaskGroup() as group:
        call = group.create_task(client.request("GET", "/"))
        await wait_until(lambda: seen)
        call.cancel()
    await wait_until(lambda: len(seen) == 3)
    assert set(seen) == {"started", "client left", "task cancelled"}
    assert server.in_flight == 0


async def test_answer_shorter_than_announced_breaks_the_connection(start_server):
    async def handler(exchange):
        exchange.begin(200, b"", 10)
        exchange.write(b"short")
        exchange.end()

    _, client = await start_server(handler)
    with pytest.raises(HttpError):
        await client.request("GET", "/")


async def test_requests_that_broke_the_rules_come_with_their_fault(start_server):
    async def handler(exchange):
        if exchange.fault is None:
            exchange.respond(200, [])
        else:
            exchange.respond(exchange.fault.status, [], exchange.fault.detail.encode())

    server, client = await start_server(handler, max_url_bytes=100)
    assert (await client.request("GET", "/" + "a" * 200)).status == 414
    assert (await client.request("GET", "/")).status == 200
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.listeners[0].sockets[0].getsockname()[1]
    )
    writer.write(b"nonsense\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    writer.close()


async def test_connections_above_the_bound_are_refused(start_server, wait_until):
    server, client = await start_server(echo, max_connections=1)
    await client.request("GET", "/")
    other = HttpClient(client.origin.url)
    with pytest.raises(HttpError):
        await other.request("POST", "/", body=b"x")
    await client.aclose()
    await wait_until(lambda: not server.open_connections)
    assert (await other.request("GET", "/")).status == 200
    await other.aclose()
