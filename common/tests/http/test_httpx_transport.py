"""The httpx transport: same pool, httpx's words."""

import time

import httpx
import pytest

from trivium_common.http.httpx_transport import TriviumTransport


async def test_httpx_client_works_over_one_kept_connection(start_origin):
    origin = await start_origin()
    async with httpx.AsyncClient(transport=TriviumTransport(), trust_env=False) as client:
        for _ in range(2):
            response = await client.post(
                f"{origin.url}/a", json={"x": 1}, headers={"X-A": "b"}, params={"q": "ü"}
            )
            assert (response.status_code, response.text) == (200, "ok")
    assert origin.connections == 1
    request = origin.requests[0]
    assert (request.line, request.body) == ("POST /a?q=%C3%BC HTTP/1.1", b'{"x":1}')
    assert (request.header("x-a"), request.header("host")) == ("b", origin.url.removeprefix("http://"))


async def test_httpx_streams_both_ways(start_origin):
    async def script(connection):
        while (request := await connection.read_request()) is not None:
            connection.answer(request.body)

    async def parts():
        for _ in range(100):
            yield b"x" * 10_000

    origin = await start_origin(script)
    async with httpx.AsyncClient(transport=TriviumTransport(), trust_env=False) as client:
        async with client.stream("POST", origin.url, content=parts()) as response:
            assert sum([len(chunk) async for chunk in response.aiter_bytes()]) == 1_000_000
        assert origin.requests[0].header("transfer-encoding") == "chunked"
        assert (await client.get(origin.url)).status_code == 200
    assert origin.connections == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("refuse", httpx.ConnectError),
        ("reset", httpx.ReadError),
        ("garbage", httpx.RemoteProtocolError),
        ("short", httpx.RemoteProtocolError),
        ("hang", httpx.ReadTimeout),
        ("late", httpx.ConnectTimeout),
    ],
)
async def test_faults_become_the_right_httpx_errors(start_origin, fault, expected):
    async def script(connection):
        await connection.read_request()
        if fault == "reset":
            connection.reset()
        elif fault == "garbage":
            connection.send(b"garbage\r\n\r\n")
        elif fault == "short":
            connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx")
        elif fault == "hang":
            await connection.wait_closed_by_peer()

    url = "http://127.0.0.1:1" if fault == "refuse" else (await start_origin(script)).url
    extensions = {"deadline": time.monotonic() - 1} if fault == "late" else {}
    async with httpx.AsyncClient(transport=TriviumTransport(), trust_env=False, timeout=0.1) as client:
        with pytest.raises(expected):
            await client.get(url, extensions=extensions)


async def test_answers_left_unread_close_their_connection(start_origin, wait_until):
    async def script(connection):
        await connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx")
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    async with httpx.AsyncClient(transport=TriviumTransport(), trust_env=False) as client:
        async with client.stream("GET", origin.url) as response:
            assert response.status_code == 200
        await wait_until(lambda: not origin.open_connections)
