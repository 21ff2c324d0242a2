"""Hostile input (ATTACKS A1-A30), each through real sockets, with an origin that proves what did not reach it."""

import asyncio
import ipaddress
import re
import socket

import orjson
import pytest

from trivium_common.http import ServerLimits
from trivium_edge.proxy import IdentityHeaders, ProxySettings

LINE = b"GET /api/web/ HTTP/1.1\r\n"
HOST = b"Host: a\r\n"
POST = b"POST /api/web/ HTTP/1.1\r\n" + HOST
# What an attacker hides behind an ambiguous request, to have it taken for one of its own.
SMUGGLED = b"GET /api/web/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
LOCAL = (ipaddress.ip_network("127.0.0.0/8"),)

AMBIGUOUS = {
    "A1 length and chunked": POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "A1 chunked and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "A2 two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "A2 the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "A2 a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "A2 a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "A2 a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "A2 a hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "A2 a length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "A3 xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "A3 identity": POST + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "A3 a coding before chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "A3 chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "A3 chunked with a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "A3 quoted": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "A3 folded": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "A3 chunked in HTTP/1.0": b"POST /api/web/ HTTP/1.0\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "A4 no CRLF after a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
    "A4 bare LF after a chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    "A4 space after a chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n",
    "A4 a chunk size beyond 64 bits": POST
    + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "A4 a negative chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
    "A5 bare LF": LINE + HOST + b"X: a\nX-User-ID: u1\r\n\r\n",
    "A5 bare LF everywhere": b"GET /api/web/ HTTP/1.1\nHost: a\n\n",
    "A5 NUL": LINE + HOST + b"X: a\0b\r\n\r\n",
    "A5 bare CR": LINE + HOST + b"X: a\rb\r\n\r\n",
    "A5 folded": LINE + HOST + b"X: a\r\n b\r\n\r\n",
    "A6 space before the colon": LINE + HOST + b"X-User-ID : u1\r\n\r\n",
    "A6 no name": LINE + HOST + b": u1\r\n\r\n",
    "A7 no Host": LINE + b"\r\n",
    "A7 two Hosts": LINE + HOST + HOST + b"\r\n",
    "A7 empty Host": LINE + b"Host:\r\n\r\n",
    "A7 Host with a path": LINE + b"Host: a/b\r\n\r\n",
    "A7 Host with a user": LINE + b"Host: a@b\r\n\r\n",
    "A23 two Authorizations": LINE + HOST + b"Authorization: Bearer ada\r\nAuthorization: Bearer d1\r\n\r\n",
    "version 0.9": b"GET /api/web/\r\n\r\n",
    "version 2.0": b"GET /api/web/ HTTP/2.0\r\n" + HOST + b"\r\n",
    "a method that is none": b"G@T /api/web/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT internal:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target that is no path": b"GET api/web/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an upgrade with a body": POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("raw", AMBIGUOUS.values(), ids=AMBIGUOUS)
async def test_ambiguous_requests_are_refused_and_end_the_connection(start_origin, start_edge, raw):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    client.send(raw + SMUGGLED)
    answer = await client.read_answer()
    assert (answer.status, answer.header("connection")) == (400, "close")
    assert orjson.loads(answer.body)["code"] == "bad_request"
    assert await client.is_closed_by_edge()
    assert not [request for request in origin.requests if "smuggled" in request.line or request.is_whole]
    assert (await edge.ask(LINE + HOST + b"\r\n")).status == 200  # others are unaffected


@pytest.mark.parametrize(
    "start",
    [
        b"GET /api/web/a b",
        b"GET /api/web/\x01",
        b"GET /api/web/\n",
        b"get /api/web/",
        b"GET /a\r\nHost: b\r\n",
        b" GET /a",
    ],
)
async def test_start_lines_are_judged_as_strictly_when_the_rest_of_the_head_repeats(
    start_origin, start_edge, start
):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    for _ in range(2):
        client.send(LINE + HOST + b"X: y\r\n\r\n")
        assert (await client.read_answer()).status == 200
    client.send(start + b" HTTP/1.1\r\n" + HOST + b"X: y\r\n\r\n")
    assert (await client.read_answer()).status == 400
    assert await client.is_closed_by_edge()
    assert len(origin.requests) == 2


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (LINE + HOST + b"X: " + b"y" * 70_000 + b"\r\n\r\n", 431, "headers_too_large"),
        (LINE + HOST + b"X: y\r\n" * 200 + b"\r\n", 431, "headers_too_large"),
        (LINE + HOST + b"X: " + b"y" * 1_000_000, 431, "headers_too_large"),
        (b"GET /api/web/" + b"y" * 10_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "uri_too_long"),
        (b"GET /api/web/" + b"y" * 1_000_000, 414, "uri_too_long"),
        (POST + b"Content-Length: 2097153\r\n\r\n", 413, "body_too_large"),
    ],
)
async def test_a8_what_is_too_large_is_refused_before_any_upstream_call(
    start_origin, start_edge, raw, status, code
):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    client.send(raw)
    answer = await client.read_answer()
    assert (answer.status, orjson.loads(answer.body)["code"]) == (status, code)
    assert await client.is_closed_by_edge()
    assert origin.connections == 0


async def test_a8_chunked_body_above_the_bound_aborts_the_upstream_request(
    start_origin, start_edge, wait_until
):
    origin = await start_origin()
    edge = await start_edge(origin, max_body_bytes=100_000)
    client = await edge.connect()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    client.send(b"1000\r\n" + bytes(0x1000) + b"\r\n")
    await wait_until(lambda: origin.requests)
    client.send((b"1000\r\n" + bytes(0x1000) + b"\r\n") * 30)
    assert (await client.read_answer()).status == 413
    assert await client.is_closed_by_edge()
    await wait_until(lambda: not origin.open_connections)
    assert not origin.requests[0].is_whole


@pytest.mark.parametrize("overhead", [b";" + b"x" * 100_000, b"\r\na\r\n0\r\n" + b"t: x\r\n" * 20_000])
async def test_a8_chunk_extensions_and_trailers_are_bounded(start_origin, start_edge, wait_until, overhead):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    await wait_until(lambda: origin.requests)
    client.send(b"1" + overhead)
    assert (await client.read_answer()).status == 400
    await wait_until(lambda: not origin.open_connections)
    assert not origin.requests[0].is_whole


@pytest.mark.parametrize(
    "start", [b"", b"GET /api", LINE, LINE + HOST + b"X: ", LINE + HOST + b"\r\n" + LINE[:-2]], ids=range(5)
)
async def test_a9_slow_heads_are_closed_while_others_are_served(start_origin, start_edge, impatient, start):
    edge = await start_edge(
        await start_origin(), settings=impatient(header_timeout_s=0.1, idle_timeout_s=0.1)
    )
    client = await edge.connect()
    client.send(start)
    other = edge.ask(LINE + HOST + b"\r\n")
    assert (await other).status == 200
    if start.count(b"\r\n\r\n"):
        assert (await client.read_answer()).status == 200
    assert await client.is_closed_by_edge()


async def test_a9_drip_of_header_bytes_does_not_extend_the_time(start_origin, start_edge, impatient):
    edge = await start_edge(await start_origin(), settings=impatient(header_timeout_s=0.2))
    client = await edge.connect()
    client.send(LINE + HOST)

    async def drip():
        while True:
            client.send(b"X: y\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.ensure_future(drip())
    try:
        assert await client.is_closed_by_edge()
    finally:
        dripping.cancel()


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
async def test_a9_a12_bodies_that_do_not_come_end_in_408(
    start_origin, start_edge, impatient, wait_until, expect
):
    origin = await start_origin()
    edge = await start_edge(origin, settings=impatient(body_timeout_s=0.1))
    client = await edge.connect()
    client.send(POST + expect + b"Content-Length: 10\r\n\r\n")
    if expect:
        assert (await client.read_answer()).status == 100
    client.send(b"abc")
    assert (await client.read_answer()).status == 408
    assert await client.is_closed_by_edge()
    await wait_until(lambda: not origin.open_connections)
    assert not origin.requests[0].is_whole


async def test_a9_client_that_does_not_read_is_closed(start_origin, start_edge, impatient, wait_until):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.answer(bytes(32 * 1024 * 1024))

    origin = await start_origin(script)
    edge = await start_edge(origin, settings=impatient(write_timeout_s=0.1))
    client = await edge.connect()
    client.writer.transport.pause_reading()
    client.send(LINE + HOST + b"\r\n")
    await wait_until(lambda: edge.records)
    assert edge.records[0].status == 499
    await wait_until(lambda: not edge.proxy.open_connections)


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: %d\r\n\r\n%b" % (len(SMUGGLED), SMUGGLED),
        b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    ],
)
async def test_a10_get_with_a_body_is_refused_and_its_body_is_no_request(start_origin, start_edge, framing):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    client.send(LINE + HOST + framing + b"GET /api/web/next HTTP/1.1\r\n" + HOST + b"\r\n")
    assert [(await client.read_answer()).status for _ in range(2)] == [400, 200]
    assert [request.line for request in origin.requests] == ["GET /next HTTP/1.1"]


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nbad\0name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"\0\0\0\0",
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
)
async def test_a11_answers_that_make_no_sense_are_502_and_cost_the_connection(
    start_origin, start_edge, wait_until, raw
):
    async def script(connection):
        await connection.read_request()
        connection.send(raw)

    origin = await start_origin(script)
    edge = await start_edge(origin)
    assert [(await edge.ask(LINE + HOST + b"\r\n")).status for _ in range(2)] == [502, 502]
    assert origin.connections == 2


async def test_a11_answer_split_into_two_never_reaches_the_next_client(start_origin, start_edge):
    async def script(connection):
        await connection.read_request()
        connection.send(
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
        )
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    edge = await start_edge(origin)
    assert [(await edge.ask(LINE + HOST + b"\r\n")).body for _ in range(2)] == [b"ok", b"ok"]


# --- trust headers

TRUSTED = [
    "x-user-id",
    "x-user-email",
    "x-user-roles",
    "x-consumer",
    "x-edge-identity",
    "x-retry-attempt",
    "x-trivium-origin",
    "x-trivium-debug",
    "x-real-ip",
    "forwarded",
    "x-forwarded-port",
]


@pytest.mark.parametrize("spelling", [str.lower, str.title, lambda name: name.replace("-", "_")])
async def test_a13_a14_trust_headers_of_clients_never_pass(start_origin, start_edge, spelling):
    origin = await start_origin()
    edge = await start_edge(origin)
    forged = "".join(
        f"{spelling(name)}: forged\r\n" for name in [*TRUSTED, "x-request-timeout-ms", "x-forwarded-for"]
    )
    assert (await edge.ask(LINE + HOST + forged.encode() + b"\r\n")).status == 200
    assert "forged" not in dict(origin.requests[0].headers).values()


async def test_a15_headers_that_a_client_calls_hop_by_hop_still_reach_the_upstream(
    start_origin, start_edge, edge_parts, fake_signer
):
    origin = await start_origin()
    edge = await start_edge(
        origin, authenticate=edge_parts.authenticate, identity_headers=IdentityHeaders(fake_signer)
    )
    named = b"X-User-ID, X-Edge-Identity, X-Forwarded-For, X-Forwarded-Host, X-Request-ID, X-Own, close"
    raw = LINE + HOST + b"Authorization: Bearer ada\r\nX-Own: 1\r\nConnection: " + named + b"\r\n\r\n"
    assert (await edge.ask(raw)).status == 200
    request = origin.requests[0]
    assert request.header("x-user-id") == "u1"
    assert request.header("x-edge-identity") is not None
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x-forwarded-host") == "a"
    assert request.header("x-request-id") is not None
    assert request.header("x-own") is None


async def test_a16_forwarded_addresses_count_only_from_trusted_proxies(start_origin, start_edge):
    origin = await start_origin()
    raw = LINE + HOST + b"X-Forwarded-For: 9.9.9.9, 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n"
    edge = await start_edge(origin)
    await edge.ask(raw)
    assert (edge.records[0].client_address, edge.records[0].scheme) == ("127.0.0.1", "http")
    trusting = await start_edge(
        origin, settings=ProxySettings(trusted_proxies=(*LOCAL, ipaddress.ip_network("10.0.0.0/8")))
    )
    await trusting.ask(raw)
    assert (trusting.records[0].client_address, trusting.records[0].scheme) == ("9.9.9.9", "https")
    assert origin.requests[1].header("x-forwarded-for") == "9.9.9.9, 10.0.0.1, 127.0.0.1"


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        (b"junk", "127.0.0.1"),
        (b"1.1.1.1, junk", "127.0.0.1"),
        (b"junk, 1.1.1.1", "1.1.1.1"),
        (b", ".join([b"9.9.9.9"] * 5_000), "9.9.9.9"),
        (b"[2001:db8::1]:443", "2001:db8::1"),
        (b"1.1.1.1:80", "1.1.1.1"),
    ],
)
async def test_a17_chains_of_addresses_are_bounded_and_junk_is_not_believed(
    start_origin, start_edge, chain, address
):
    edge = await start_edge(await start_origin(), settings=ProxySettings(trusted_proxies=LOCAL))
    assert (await edge.ask(LINE + HOST + b"X-Forwarded-For: " + chain + b"\r\n\r\n")).status == 200
    assert edge.records[0].client_address == address


@pytest.mark.parametrize(
    ("sent", "is_kept"), [(b"good-1.a_b", True), (b"x" * 129, False), (b"a b", False), (b"", False)]
)
async def test_a18_request_ids_are_kept_when_valid_and_replaced_otherwise(
    start_origin, start_edge, sent, is_kept
):
    origin = await start_origin()
    edge = await start_edge(origin)
    answer = await edge.ask(LINE + HOST + b"X-Request-ID: " + sent + b"\r\n\r\n")
    request_id = answer.header("x-request-id")
    assert (request_id == sent.decode()) == is_kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", request_id)
    assert origin.requests[0].header("x-request-id") == request_id


TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [(TRACE, True), (b"00-xyz-1-01", False), (TRACE * 100, False), (TRACE.upper(), False)],
)
async def test_a19_a_malformed_trace_is_removed_with_its_state(start_origin, start_edge, sent, is_kept):
    origin = await start_origin()
    edge = await start_edge(origin)
    await edge.ask(LINE + HOST + b"traceparent: " + sent + b"\r\ntracestate: a=1\r\n\r\n")
    received = origin.requests[0]
    assert received.header("traceparent") == (sent.decode() if is_kept else None)
    assert received.header("tracestate") == ("a=1" if is_kept else None)


async def test_a22_hop_by_hop_headers_pass_in_no_direction(start_origin, start_edge):
    async def script(connection):
        while await connection.read_request() is not None:
            hop = "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nProxy-Authenticate: x\r\nTrailer: x\r\n"
            connection.answer(headers=hop + "X-End: 1\r\n")

    origin = await start_origin(script)
    edge = await start_edge(origin)
    hop = b"Connection: keep-alive, TE\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Authorization: x\r\nProxy-Connection: x\r\n"
    answer = await edge.ask(LINE + HOST + hop + b"Upgrade: h2c\r\nHTTP2-Settings: x\r\nX-End: 1\r\n\r\n")
    gone = {
        "keep-alive",
        "te",
        "proxy-authorization",
        "proxy-connection",
        "upgrade",
        "http2-settings",
        "trailer",
    }
    assert not origin.requests[0].names() & (gone | {"connection"})
    assert "x-end" in origin.requests[0].names()
    assert not {name for name, _ in answer.headers} & (gone | {"x-hop", "proxy-authenticate", "connection"})
    assert answer.header("x-end") == "1"


# --- paths


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (b"/api/web/../iot/x", "/iot/x"),
        (b"/api/web/%2e%2E/iot/x", "/iot/x"),
        (b"/api/./web//a/.", "/web/a/"),
        (b"/api/iot/../../../api/web/a", "/web/a"),
        (b"//api/web/a", "/web/a"),
        (b"/api/%77eb/a%2Db%c3%a9", "/web/a-b%C3%A9"),
        (b"http://elsewhere/api/web/a?b", "/web/a?b"),
    ],
)
async def test_a24_a25_paths_are_normalised_before_routing_and_the_upstream_sees_the_same(
    start_origin, start_edge, edge_parts, target, line
):
    origin = await start_origin()
    upstream = edge_parts.upstream({origin.url: 1})
    routes = {
        "/api/web/": edge_parts.route(upstream, id="web", rewrite=lambda path: path.removeprefix("/api")),
        "/api/iot/": edge_parts.route(upstream, id="iot", rewrite=lambda path: path.removeprefix("/api")),
    }
    edge = await start_edge(routes=routes)
    assert (await edge.ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")).status == 200
    assert origin.requests[0].line == f"GET {line} HTTP/1.1"
    assert edge.records[0].route.id == line.split("/")[1]


@pytest.mark.parametrize(
    "target",
    [
        b"/api/web/%2f..%2fiot",
        b"/api/web/%5c..",
        b"/api/web\\..\\iot",
        b"/api/web/%00",
        b"/api/web/%0d%0aX:y",
        b"/api/web/%252e%252e/iot",
        b"/api/web/%252f",
        b"/api/web/%zz",
        b"/api/web/%",
        b"/api/web/..;/iot",
        b"/api/web/a#b",
        b"/api/web/<script>",
    ],
)
async def test_a25_paths_with_two_readings_are_refused(start_origin, start_edge, target):
    origin = await start_origin()
    edge = await start_edge(origin)
    assert (await edge.ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")).status == 400
    assert origin.connections == 0


async def test_a26_rewrites_never_change_the_host(start_origin, start_edge):
    origin = await start_origin()
    edge = await start_edge(origin)
    for target in (b"/api/web//evil.host/x", b"/api/web/http://evil.host/x", b"/api/web/@evil.host"):
        assert (await edge.ask(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")).status == 200
    assert [request.line.split()[1] for request in origin.requests] == [
        "/evil.host/x",
        "/http:/evil.host/x",
        "/@evil.host",
    ]
    assert {f"http://{request.header('host')}" for request in origin.requests} == {origin.url}


async def test_a28_redirects_are_passed_on_and_not_followed(start_origin, start_edge):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.answer(status="302 Found", headers="Location: http://169.254.169.254/\r\n")

    origin = await start_origin(script)
    edge = await start_edge(origin)
    answer = await edge.ask(LINE + HOST + b"\r\n")
    assert (answer.status, answer.header("location")) == (302, "http://169.254.169.254/")
    assert len(origin.requests) == 1


async def test_a30_websocket_upgrades_on_plain_routes_are_refused(start_origin, start_edge):
    origin = await start_origin()
    edge = await start_edge(origin)
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    assert (await edge.ask(LINE + HOST + upgrade + b"Sec-WebSocket-Version: 13\r\n\r\n")).status == 400
    assert origin.connections == 0


# --- PROXY protocol

V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command: int, family: int, payload: bytes) -> bytes:
    """A version 2 header."""
    return V2 + bytes([0x20 | command, family]) + len(payload).to_bytes(2, "big") + payload


ADDRESSES_V4 = socket.inet_aton("203.0.113.7") + socket.inet_aton("10.0.0.1") + b"\x12\x34\x01\xbb"
ADDRESSES_V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + b"\x12\x34\x01\xbb"


@pytest.mark.parametrize(
    ("preamble", "address"),
    [
        (b"PROXY TCP4 203.0.113.7 10.0.0.1 4660 443\r\n", "203.0.113.7"),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4660 443\r\n", "2001:db8::7"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (v2(1, 0x11, ADDRESSES_V4), "203.0.113.7"),
        (v2(1, 0x11, ADDRESSES_V4 + b"\x04\x00\x05junk!" + b"\xff" * 50), "203.0.113.7"),
        (v2(1, 0x21, ADDRESSES_V6), "2001:db8::7"),
        (v2(0, 0x00, b""), "127.0.0.1"),
        (v2(1, 0x00, b""), "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("is_dripped", [False, True])
async def test_a104_proxy_headers_of_trusted_peers_name_the_client(
    start_origin, start_edge, preamble, address, is_dripped
):
    origin = await start_origin()
    edge = await start_edge(origin, settings=ProxySettings(trusted_proxies=LOCAL, proxy_protocol=True))
    client = await edge.connect()
    raw = preamble + LINE + HOST + b"\r\n"
    for at in range(0, len(raw), 1 if is_dripped else len(raw)):
        client.send(raw[at : at + (1 if is_dripped else len(raw))])
        await client.writer.drain()
    assert (await client.read_answer()).status == 200
    assert edge.records[0].client_address == address
    assert origin.requests[0].header("x-forwarded-for") == address


@pytest.mark.parametrize(
    "preamble",
    [
        b"",
        b"PROXY TCP4 nonsense\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 99999\r\n",
        b"PROXY " + b"x" * 200,
        v2(1, 0x11, b"short"),
        v2(2, 0x11, ADDRESSES_V4),
        V2[:-1] + b"x",
        v2(1, 0x11, bytes(60_000)),
    ],
)
async def test_a104_connections_without_a_valid_proxy_header_are_closed(start_origin, start_edge, preamble):
    origin = await start_origin()
    edge = await start_edge(origin, settings=ProxySettings(trusted_proxies=LOCAL, proxy_protocol=True))
    client = await edge.connect()
    client.send(preamble + LINE + HOST + b"\r\n")
    assert await client.is_closed_by_edge()
    assert origin.connections == 0


async def test_a104_proxy_headers_of_others_are_refused(start_origin, start_edge):
    settings = ProxySettings(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),), proxy_protocol=True)
    edge = await start_edge(await start_origin(), settings=settings)
    client = await edge.connect()
    client.send(v2(1, 0x11, ADDRESSES_V4) + LINE + HOST + b"\r\n")
    assert await client.is_closed_by_edge()
    plain = await start_edge(await start_origin())
    assert (await plain.ask(b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + LINE + HOST + b"\r\n")).status == 400


async def test_a104_proxy_header_that_never_comes_is_not_waited_for(start_origin, start_edge):
    settings = ProxySettings(
        limits=ServerLimits(header_timeout_s=0.1), trusted_proxies=LOCAL, proxy_protocol=True
    )
    edge = await start_edge(await start_origin(), settings=settings)
    client = await edge.connect()
    client.send(b"PROXY TCP4 ")
    assert await client.is_closed_by_edge()
