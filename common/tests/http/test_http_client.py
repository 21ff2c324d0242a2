"""The client engine against a scripted origin on a real socket."""

import asyncio
import ssl
import time

import pytest

from trivium_common.http import (
    BodyTooLarge,
    ConnectError,
    ConnectionReset,
    DeadlineExceeded,
    HttpClient,
    HttpError,
    PoolLimits,
    PoolTimeout,
    ProtocolError,
    ReadTimeout,
    Timeouts,
    WriteTimeout,
)

SOON_S = 0.1


async def test_answers_come_whole_and_the_connection_is_kept(start_origin):
    origin = await start_origin()
    client = HttpClient(origin.url)
    for _ in range(3):
        response = await client.request("GET", "/a?b=c", headers=[(b"accept", b"text/plain")])
        assert (response.status, response.body) == (200, b"ok")
    assert origin.connections == 1
    assert origin.requests[0].line == "GET /a?b=c HTTP/1.1"
    assert origin.requests[0].header("host") == origin.url.removeprefix("http://")
    assert origin.requests[0].header("accept") == "text/plain"
    await client.aclose()


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: 1\r\n\r\n",
            b"abcde",
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab",
            b"ab",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 1\r\n\r\nx", b"x"),
    ],
)
async def test_every_framing_is_read_and_the_connection_kept(start_origin, raw, body):
    async def script(connection):
        while await connection.read_request() is not None:
            for byte in raw:
                connection.send(bytes([byte]))
                await connection.writer.drain()

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    for _ in range(2):
        assert (await client.request("GET", "/")).body == body
    assert origin.connections == 1
    await client.aclose()


async def test_answer_without_length_ends_with_its_connection(start_origin):
    async def script(connection):
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nto the end")

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    assert (await client.request("GET", "/")).body == b"to the end"
    assert client.pool.size == 0


async def test_head_answer_has_no_body_and_keeps_the_connection(start_origin):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    for _ in range(2):
        response = await client.request("HEAD", "/")
        assert response.headers.get(b"content-length") == b"2"
        assert response.body == b""
    assert origin.connections == 1
    await client.aclose()


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000,
    ],
)
async def test_broken_answers_are_protocol_errors_and_their_connection_is_dropped(start_origin, raw):
    async def script(connection):
        await connection.read_request()
        connection.send(raw)

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    with pytest.raises(ProtocolError) as failure:
        await client.request("GET", "/")
    assert failure.value.bytes_sent
    assert client.pool.size == 0


async def test_bytes_after_an_answer_cost_the_connection_and_never_the_next_call(start_origin):
    async def script(connection):
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nx: injected\r\n")
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    for _ in range(2):
        assert (await client.request("GET", "/")).headers.get(b"x") is None
    assert origin.connections == 2
    await client.aclose()


async def test_refused_connection_says_that_nothing_was_sent(start_origin):
    origin = await start_origin()
    client = HttpClient("http://127.0.0.1:1")
    with pytest.raises(ConnectError) as failure:
        await client.request("POST", "/", body=b"x")
    assert not failure.value.bytes_sent
    assert client.pool.size == 0
    assert origin.connections == 0


async def test_reset_before_the_answer_says_that_bytes_were_sent(start_origin):
    async def script(connection):
        await connection.read_request()
        connection.reset()

    client = HttpClient((await start_origin(script)).url)
    with pytest.raises(ConnectionReset) as failure:
        await client.request("POST", "/", body=b"x")
    assert failure.value.bytes_sent


async def serve_once_then_reset(connection):
    """Answer the first request of each connection and reset at its second."""
    await connection.read_request()
    connection.answer()
    await connection.read_request()
    connection.reset()


async def test_dead_kept_connection_is_replaced_once_for_a_get(start_origin):
    origin = await start_origin(serve_once_then_reset)
    client = HttpClient(origin.url)
    for _ in range(2):
        assert (await client.request("GET", "/")).status == 200
    assert (origin.connections, len(origin.requests)) == (2, 3)
    await client.aclose()


async def test_dead_kept_connection_is_an_error_for_a_post(start_origin):
    origin = await start_origin(serve_once_then_reset)
    client = HttpClient(origin.url)
    await client.request("POST", "/", body=b"1")
    with pytest.raises(ConnectionReset):
        await client.request("POST", "/", body=b"2")
    assert [request.body for request in origin.requests] == [b"1", b"2"]


async def test_silent_origin_ends_in_a_read_timeout(start_origin):
    async def script(connection):
        await connection.read_request()
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    client = HttpClient(origin.url, timeouts=Timeouts(read_s=SOON_S))
    with pytest.raises(ReadTimeout) as failure:
        await client.request("GET", "/")
    assert failure.value.bytes_sent
    await asyncio.wait_for(origin.all_closed.wait(), 5)


async def test_deadline_ends_a_call_and_none_starts_after_it(start_origin):
    async def script(connection):
        await connection.read_request()
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    deadline = time.monotonic() + SOON_S
    with pytest.raises(DeadlineExceeded) as failure:
        await client.request("GET", "/", deadline=deadline)
    assert failure.value.bytes_sent
    with pytest.raises(DeadlineExceeded) as failure:
        await client.request("GET", "/", deadline=deadline)
    assert not failure.value.bytes_sent
    assert len(origin.requests) == 1


async def test_origin_that_takes_no_data_ends_in_a_write_timeout(start_origin):
    async def script(connection):
        connection.writer.transport.pause_reading()
        await asyncio.Event().wait()

    client = HttpClient((await start_origin(script)).url, timeouts=Timeouts(send_s=SOON_S))
    with pytest.raises(WriteTimeout):
        await client.request("POST", "/", body=bytes(32 * 1024 * 1024))


async def test_answer_above_the_bound_is_refused(start_origin):
    async def script(connection):
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.send(bytes(65536))
            await connection.writer.drain()

    client = HttpClient((await start_origin(script)).url)
    with pytest.raises(BodyTooLarge):
        await client.request("GET", "/", max_body_bytes=1000)
    assert client.pool.size == 0


async def test_callers_above_the_bound_are_served_in_the_order_they_came(start_origin, wait_until):
    release = asyncio.Event()

    async def script(connection):
        while await connection.read_request() is not None:
            await release.wait()
            connection.answer()

    origin = await start_origin(script)
    client = HttpClient(origin.url, limits=PoolLimits(max_connections=1, max_waiting=3))
    async with asyncio.TaskGroup() as group:
        first = group.create_task(client.request("GET", "/0"))
        await wait_until(lambda: origin.requests)
        rest = [group.create_task(client.request("GET", f"/{number}")) for number in range(1, 4)]
        await wait_until(lambda: client.pool.waiting == 3)
        with pytest.raises(PoolTimeout) as failure:
            await client.request("GET", "/one-too-many")
        assert not failure.value.bytes_sent
        release.set()
    assert first.result().status == 200
    assert all(task.result().status == 200 for task in rest)
    assert [request.line.split()[1] for request in origin.requests] == ["/0", "/1", "/2", "/3"]
    assert origin.connections == 1
    await client.aclose()


async def test_waiting_for_a_connection_is_bounded(start_origin, wait_until):
    async def script(connection):
        await connection.read_request()
        await connection.wait_closed_by_peer()

    client = HttpClient((await start_origin(script)).url, limits=PoolLimits(max_connections=1, wait_s=SOON_S))
    async with asyncio.TaskGroup() as group:
        blocker = group.create_task(client.request("GET", "/"))
        await wait_until(lambda: client.pool.size)
        with pytest.raises(PoolTimeout):
            await client.request("GET", "/")
        blocker.cancel()
    assert (client.pool.size, client.pool.waiting) == (0, 0)


async def test_connections_retire_after_their_share_of_requests(start_origin):
    origin = await start_origin()
    client = HttpClient(origin.url, limits=PoolLimits(max_requests_per_connection=2))
    for _ in range(4):
        await client.request("GET", "/")
    assert origin.connections == 2
    assert client.pool.size == 0


async def test_idle_connections_are_closed_after_their_time(start_origin):
    origin = await start_origin()
    client = HttpClient(origin.url, limits=PoolLimits(idle_s=SOON_S))
    await client.request("GET", "/")
    await asyncio.wait_for(origin.all_closed.wait(), 5)
    assert client.pool.size == 0


async def test_storm_of_cancelled_calls_loses_no_slot(start_origin):
    async def script(connection):
        while (request := await connection.read_request()) is not None:
            for _ in range(int(request.line.split()[1][1:])):
                await asyncio.sleep(0)
            connection.answer()

    origin = await start_origin(script)
    client = HttpClient(origin.url, limits=PoolLimits(max_connections=5, max_waiting=100))

    async def call(number: int) -> None:
        try:
            async with asyncio.timeout((number * 7919 % 13) / 1000):
                await client.request("GET", f"/{number % 11}")
        except (TimeoutError, HttpError):
            pass

    for _ in range(10):
        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(call(number))
        assert client.pool.size <= 5
        assert client.pool.waiting == 0
    assert client.pool.size == client.pool.idle
    assert (await client.request("GET", "/0")).status == 200
    await client.aclose()


async def test_cancelled_call_closes_its_connection(start_origin, wait_until):
    async def script(connection):
        await connection.read_request()
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    async with asyncio.TaskGroup() as group:
        call = group.create_task(client.request("GET", "/"))
        await wait_until(lambda: origin.requests)
        call.cancel()
    await asyncio.wait_for(origin.all_closed.wait(), 5)
    assert client.pool.size == 0


async def test_streamed_request_bodies_are_chunked_or_keep_their_length(start_origin):
    origin = await start_origin()
    client = HttpClient(origin.url)

    async def parts():
        for part in (b"one", b"", b"two"):
            yield part

    await client.request("POST", "/", body=parts())
    await client.request("POST", "/", headers=[(b"content-length", b"6")], body=parts())
    chunked, sized = origin.requests
    assert (chunked.header("transfer-encoding"), chunked.body) == ("chunked", b"onetwo")
    assert (sized.header("transfer-encoding"), sized.body) == (None, b"onetwo")
    assert origin.connections == 1
    await client.aclose()


async def test_answer_before_the_end_of_the_body_stops_the_body(start_origin):
    async def script(connection):
        await connection.read_head()
        connection.answer(b"no", status="413 Too Large")
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    client = HttpClient(origin.url)

    async def endless():
        while True:
            yield bytes(65536)
            await asyncio.sleep(0)

    response = await client.request("POST", "/", body=endless())
    assert (response.status, response.body) == (413, b"no")
    assert client.pool.size == 0


async def test_unread_stream_makes_the_origin_wait(start_origin):
    sent = 0
    total = 64 * 1024 * 1024

    async def script(connection):
        nonlocal sent
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while sent < total:
            connection.send(bytes(65536))
            await connection.writer.drain()
            sent += 65536

    client = HttpClient((await start_origin(script)).url)
    received = 0
    async with client.stream("GET", "/") as response:
        assert response.status == 200
        previous = -1
        while sent != previous:  # until the origin stands still
            previous = sent
            await asyncio.sleep(0.05)
        assert sent < total / 2
        async for chunk in response.aiter_bytes():
            received += len(chunk)
    assert received == total
    assert client.pool.idle == 1
    await client.aclose()


async def test_stream_left_early_closes_its_connection(start_origin):
    async def script(connection):
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    client = HttpClient(origin.url)
    async with client.stream("GET", "/") as response:
        async for chunk in response.aiter_bytes():
            assert chunk == b"abc"
            break
    await asyncio.wait_for(origin.all_closed.wait(), 5)
    assert client.pool.size == 0


async def test_stream_that_breaks_off_raises(start_origin):
    async def script(connection):
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")

    client = HttpClient((await start_origin(script)).url)

    async def read_all():
        async with client.stream("GET", "/") as response:
            return [chunk async for chunk in response.aiter_bytes()]

    with pytest.raises(ProtocolError):
        await read_all()


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/a b", []),
        ("/a\r\nx: y", []),
        ("http://elsewhere/", []),
        ("/", [(b"x", b"a\r\ny: b")]),
        ("/", [(b"x", b"a\nb")]),
        ("/", [(b"x", b"a\0b")]),
        ("/ü", []),
    ],
)
async def test_requests_that_would_break_out_of_their_line_are_refused(start_origin, target, headers):
    origin = await start_origin()
    with pytest.raises(ValueError):
        await HttpClient(origin.url).request("GET", target, headers=headers)
    assert origin.connections == 0


async def test_unix_sockets_work(tmp_path):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        await reader.read()
        writer.close()
        served.set()

    served = asyncio.Event()
    path = tmp_path / "s"
    server = await asyncio.start_unix_server(serve, path)
    client = HttpClient(f"unix://{path}")
    assert (await client.request("GET", "/")).body == b"ok"
    await client.aclose()
    await served.wait()
    server.close()
    await server.wait_closed()


async def test_certificate_that_nobody_signed_is_a_connect_error(start_origin, self_signed):
    origin = await start_origin(ssl=self_signed.server_context)
    with pytest.raises(ConnectError):
        await HttpClient(f"https://localhost:{origin.port}").request("GET", "/")


async def test_tls_works_with_a_trusted_certificate(start_origin, self_signed):
    origin = await start_origin(ssl=self_signed.server_context)
    context = ssl.create_default_context(cafile=self_signed.certificate_path)
    client = HttpClient(f"https://localhost:{origin.port}", tls=context)
    for _ in range(2):
        assert (await client.request("GET", "/")).body == b"ok"
    assert origin.connections == 1
    await client.aclose()
