"""What a request through the edge must look like on both sides."""

import asyncio

import orjson
import pytest

from trivium_common.resilience.breaker import BreakerPolicy
from trivium_edge.proxy import IdentityHeaders

GET = b"GET /api/web/users/1?q=x HTTP/1.1\r\nHost: shop.example:8000\r\n%b\r\n"


async def test_request_is_rewritten_and_forwarded_with_its_query(start_origin, start_edge):
    origin = await start_origin()
    edge = await start_edge(origin)
    answer = await edge.ask(GET % b"Accept: a\r\nAccept: b\r\n")
    assert (answer.status, answer.body) == (200, b"ok")
    request = origin.requests[0]
    assert request.line == "GET /users/1?q=x HTTP/1.1"
    assert f"http://{request.header('host')}" == origin.url
    assert [value for name, value in request.headers if name == "accept"] == ["a", "b"]
    assert request.header("x-forwarded-for") == "127.0.0.1"
    assert request.header("x-forwarded-proto") == "http"
    assert request.header("x-forwarded-host") == "shop.example:8000"
    assert 0 < int(request.header("x-request-timeout-ms")) <= 30_000
    assert answer.header("x-request-id") == request.header("x-request-id")


async def test_kept_connections_serve_request_after_request_on_both_sides(start_origin, start_edge):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    for _ in range(3):
        client.send(GET % b"")
        assert (await client.read_answer()).body == b"ok"
    assert origin.connections == 1


async def test_pipelined_requests_are_answered_in_order(start_origin, start_edge):
    async def script(connection):
        while (request := await connection.read_request()) is not None:
            connection.answer(request.line.split()[1].encode())

    edge = await start_edge(await start_origin(script))
    client = await edge.connect()
    client.send(b"".join(b"GET /api/web/%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
    client.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
    for number in range(50):
        assert (await client.read_answer()).body == b"/%d" % number
    for _ in range(50):
        assert (await client.read_answer()).status == 404


@pytest.mark.parametrize("body", [b"", b"x", b"y" * 1_000_000])
@pytest.mark.parametrize("is_chunked", [True, False])
async def test_bodies_pass_whole_in_both_directions(start_origin, start_edge, body, is_chunked):
    async def script(connection):
        while (request := await connection.read_request()) is not None:
            if is_chunked:
                framed = b"".join(
                    b"%x\r\n%b\r\n" % (len(part), part)
                    for part in (request.body[at : at + 7777] for at in range(0, len(request.body), 7777))
                )
                connection.send(
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"
                )
            else:
                connection.answer(request.body)

    origin = await start_origin(script)
    edge = await start_edge(origin)
    client = await edge.connect()
    for _ in range(2):
        if is_chunked:
            client.send(b"POST /api/web/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(body), 5555):
                part = body[at : at + 5555]
                client.send(b"%x\r\n%b\r\n" % (len(part), part))
                await client.writer.drain()
            client.send(b"0\r\n\r\n")
        else:
            client.send(b"POST /api/web/ HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body))
            await asyncio.sleep(0)
            client.send(body)
        assert (await client.read_answer()).body == body
    assert [request.body for request in origin.requests] == [body, body]


async def test_head_and_bodyless_answers_keep_the_connection(start_origin, start_edge):
    async def script(connection):
        while (request := await connection.read_request()) is not None:
            if request.line.startswith("HEAD"):
                connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
            else:
                connection.send(b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n")

    origin = await start_origin(script)
    edge = await start_edge(origin)
    client = await edge.connect()
    for _ in range(2):
        client.send(b"HEAD /api/web/ HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.read_answer(to_head=True)).header("content-length") == "5"
        client.send(b"GET /api/web/ HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.read_answer()).status == 304
    assert origin.connections == 1


async def test_http_10_clients_get_an_answer_that_ends_with_the_connection(start_origin, start_edge):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n")
            await asyncio.sleep(0.01)
            connection.send(b"0\r\n\r\n")

    edge = await start_edge(await start_origin(script))
    answer = await edge.ask(b"GET /api/web/ HTTP/1.0\r\n\r\n")
    assert (answer.body, answer.header("transfer-encoding"), answer.header("connection")) == (
        b"ok",
        None,
        "close",
    )
    client = await edge.connect()
    client.send(b"GET /nowhere HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert (await client.read_answer()).header("connection") == "keep-alive"


async def test_body_is_asked_for_only_when_it_will_be_taken(start_origin, start_edge):
    origin = await start_origin()
    edge = await start_edge(origin)
    client = await edge.connect()
    expecting = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    client.send(expecting % b"/api/web/")
    assert (await client.read_answer()).status == 100
    client.send(b"abc")
    assert (await client.read_answer()).status == 200
    assert (origin.requests[0].body, origin.requests[0].header("expect")) == (b"abc", None)
    client.send(expecting % b"/nowhere")
    assert (await client.read_answer()).status == 404
    assert await client.is_closed_by_edge()


async def test_small_body_of_a_refused_request_is_read_and_the_connection_kept(start_origin, start_edge):
    edge = await start_edge(await start_origin())
    client = await edge.connect()
    client.send(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
    assert (await client.read_answer()).status == 404
    client.send(b"abcGET /api/web/ HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await client.read_answer()).status == 200


async def test_head_after_a_long_body_may_come_in_pieces(start_origin, start_edge):
    edge = await start_edge(await start_origin())
    client = await edge.connect()
    client.send(b"POST /api/web/ HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000))
    assert (await client.read_answer()).status == 200
    for part in (b"GET /api/web/ HTT", b"P/1.1\r\nHos", b"t: a\r\n", b"\r\n"):
        client.send(part)
        await asyncio.sleep(0.01)
    assert (await client.read_answer()).status == 200


async def test_repeated_headers_are_recognised_and_changed_ones_too(start_origin, start_edge):
    async def script(connection):
        while (request := await connection.read_request()) is not None:
            connection.answer(
                f"{request.line} {request.header('x-a')} {request.header('x-forwarded-host')}".encode()
            )

    edge = await start_edge(await start_origin(script))
    client = await edge.connect()
    seen = []
    for target, host, value in [
        ("1", "a", "1"),
        ("2", "a", "1"),
        ("3", "b", "1"),
        ("4", "b", "2"),
        ("5", "b", "2"),
    ]:
        client.send(f"GET /api/web/{target} HTTP/1.1\r\nHost: {host}\r\nX-A: {value}\r\n\r\n".encode())
        seen.append((await client.read_answer()).body.decode())
    assert seen == [
        f"GET /{target} HTTP/1.1 {value} {host}"
        for target, host, value in [
            ("1", "a", "1"),
            ("2", "a", "1"),
            ("3", "b", "1"),
            ("4", "b", "2"),
            ("5", "b", "2"),
        ]
    ]
    client.send(b"GET /api/web/6 HTTP/1.0\r\nHost: b\r\nX-A: 2\r\n\r\n")
    assert (await client.read_answer()).header("connection") == "close"


# --- who and how often


async def test_identity_reaches_the_upstream_signed_once_per_credential(
    start_origin, start_edge, fake_signer, edge_parts
):
    origin = await start_origin()
    edge = await start_edge(
        origin,
        authenticate=edge_parts.authenticate,
        authorise=edge_parts.authorise,
        identity_headers=IdentityHeaders(fake_signer),
    )
    client = await edge.connect()
    for _ in range(2):
        client.send(GET % b"Authorization: Bearer ada\r\n")
        assert (await client.read_answer()).status == 200
    for request in origin.requests:
        assert request.header("x-user-id") == "u1"
        assert request.header("x-user-email") == "ada@example.com"
        assert request.header("x-user-roles") == "customer"  # a role with a comma would read as two
        assert request.header("x-consumer") == "web-app"
        assert request.header("x-edge-identity") == "signed-u1-trivium-web-1"
        assert request.header("authorization") is None
    assert len(fake_signer.signed) == 1


async def test_identity_is_signed_again_at_half_of_its_life(fake_signer, edge_parts):
    now = 1000.0
    headers = IdentityHeaders(fake_signer, clock=lambda: now)
    first = headers.lines(edge_parts.ada, "trivium-web")
    now = 1029.0
    assert headers.lines(edge_parts.ada, "trivium-web") is first
    now = 1031.0
    assert b"signed-u1-trivium-web-2" in headers.lines(edge_parts.ada, "trivium-web")
    headers.drop(edge_parts.ada.credential)
    assert b"signed-u1-trivium-web-3" in headers.lines(edge_parts.ada, "trivium-web")


async def test_identity_that_has_to_be_waited_for_gets_a_task(start_origin, start_edge, edge_parts):
    edge = await start_edge(await start_origin(), authenticate=edge_parts.authenticate)
    assert (await edge.ask(GET % b"Authorization: Bearer slow\r\n")).status == 200


@pytest.mark.parametrize(
    ("credential", "status", "code"),
    [
        (b"", 401, "authentication_required"),
        (b"Authorization: Bearer unknown\r\n", 401, "invalid_credential"),
        (b"Authorization: Bearer d1\r\n", 403, "wrong_client_kind"),
    ],
)
async def test_refusals_are_problem_documents(start_origin, start_edge, edge_parts, credential, status, code):
    origin = await start_origin()
    edge = await start_edge(origin, authenticate=edge_parts.authenticate, authorise=edge_parts.authorise)
    client = await edge.connect()
    client.send(GET % credential)
    answer = await client.read_answer()
    document = orjson.loads(answer.body)
    assert (answer.status, document["status"], document["code"]) == (status, status, code)
    assert answer.header("content-type") == "application/problem+json"
    assert document["instance"] == answer.header("x-request-id")
    assert "www_authenticate" not in document
    if code == "authentication_required":
        assert answer.header("www-authenticate") == 'Bearer realm="trivium"'
    client.send(b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
    assert orjson.loads((await client.read_answer()).body)["code"] == "route_not_found"
    assert origin.connections == 0
    assert [record.status for record in edge.records] == [status, 404]


async def test_limit_is_announced_and_its_refusal_says_when_to_come_back(
    start_origin, start_edge, edge_parts
):
    origin = await start_origin()
    edge = await start_edge(origin, limits=(edge_parts.counter(2),))
    client = await edge.connect()
    seen = []
    for _ in range(3):
        client.send(GET % b"")
        answer = await client.read_answer()
        seen.append(
            (answer.status, answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining"))
        )
    assert seen == [(200, "2", "1"), (200, "2", "0"), (429, "2", "0")]
    document = orjson.loads(answer.body)
    assert (document["error"], document["retry_after"], answer.header("retry-after")) == (
        "Rate limit exceeded",
        2,
        "2",
    )
    assert len(origin.requests) == 2


async def test_route_headers_replace_those_of_both_sides(start_origin, start_edge):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.answer(
                headers="X-Content-Optimized: no\r\nX-Trivium-Cost: 5\r\nX-Trivium-Origin: upstream\r\n"
            )

    origin = await start_origin(script)
    edge = await start_edge(
        origin,
        request_headers=((b"x-set", b"edge"),),
        response_headers=((b"X-Content-Optimized", b"mobile"),),
        hidden_headers=frozenset({b"x-hidden"}),
    )
    answer = await edge.ask(GET % b"X-Set: client\r\nX-Hidden: 1\r\nX-Kept: 1\r\n")
    request = origin.requests[0]
    assert (request.header("x-set"), request.header("x-hidden"), request.header("x-kept")) == (
        "edge",
        None,
        "1",
    )
    assert answer.header("x-content-optimized") == "mobile"
    assert not [name for name, _ in answer.headers if name.startswith("x-trivium")]


# --- upstreams that fail


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("refuse", 503, "upstream_unavailable"),
        ("reset", 502, "upstream_failed"),
        ("garbage", 502, "upstream_failed"),
        ("hang", 504, "upstream_timeout"),
    ],
)
async def test_upstream_faults_have_their_status(start_origin, start_edge, edge_parts, fault, status, code):
    async def script(connection):
        await connection.read_request()
        if fault == "reset":
            connection.reset()
        elif fault == "garbage":
            connection.send(b"garbage\r\n\r\n")
        else:
            await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    if fault == "refuse":
        origin.url = "http://127.0.0.1:1"
    edge = await start_edge(origin, timeouts=edge_parts.timeouts(1, 1, 0.1))
    answer = await edge.ask(GET % b"")
    assert (answer.status, orjson.loads(answer.body)["code"]) == (status, code)
    assert (answer.header("retry-after") is not None) == (status == 503)
    assert "127.0.0.1" not in answer.body.decode()


async def test_deadline_of_the_route_ends_the_request(start_origin, start_edge, wait_until):
    async def script(connection):
        await connection.read_request()
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    edge = await start_edge(origin, deadline_s=0.1)
    assert (await edge.ask(GET % b"")).status == 504
    await wait_until(lambda: not origin.open_connections)


@pytest.mark.parametrize("framing", ["content-length: 100", "transfer-encoding: chunked"])
async def test_upstream_that_breaks_off_is_visible_to_the_client(
    start_origin, start_edge, edge_parts, framing
):
    async def script(connection):
        await connection.read_request()
        connection.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n5\r\nhello\r\n".encode())
        await asyncio.sleep(0.01)
        connection.reset()

    edge = await start_edge(await start_origin(script))
    with pytest.raises(edge_parts.broken):
        await edge.ask(GET % b"")
    assert edge.records[0].error.code == "upstream_failed"


async def test_client_that_leaves_cancels_the_upstream_call(start_origin, start_edge, wait_until):
    async def script(connection):
        await connection.read_request()
        await connection.wait_closed_by_peer()

    origin = await start_origin(script)
    edge = await start_edge(origin, breaker=BreakerPolicy(failures_to_open=1))
    client = await edge.connect()
    client.send(GET % b"")
    await wait_until(lambda: origin.requests)
    client.close()
    await wait_until(lambda: not origin.open_connections)
    await wait_until(lambda: edge.records)
    assert edge.records[0].status == 499
    assert edge.tables.table.routes["/api/web/"].upstream.snapshot()["nodes"][0]["breaker"] == "closed"


async def test_breaker_opens_answers_at_once_and_says_when_to_come_back(start_origin, start_edge):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.answer(status="500 Oops")

    origin = await start_origin(script)
    edge = await start_edge(
        origin, breaker=BreakerPolicy(failures_to_open=3, base_wait_s=30, max_wait_s=60, jitter=0)
    )
    statuses = [(await edge.ask(GET % b"")).status for _ in range(4)]
    assert statuses == [500, 500, 500, 503]
    assert (await edge.ask(GET % b"")).header("retry-after") == "30"
    assert len(origin.requests) == 3


async def test_refusal_that_a_bff_wrote_on_purpose_does_not_count(start_origin, start_edge):
    async def script(connection):
        while await connection.read_request() is not None:
            connection.answer(status="503 Later", headers="X-Trivium-Origin: upstream\r\n")

    edge = await start_edge(await start_origin(script), breaker=BreakerPolicy(failures_to_open=1))
    assert [(await edge.ask(GET % b"")).body for _ in range(3)] == [b"ok"] * 3


async def test_dead_node_costs_no_request_while_another_answers(start_origin, start_edge):
    origin = await start_origin()
    edge = await start_edge(nodes=["http://127.0.0.1:1", origin.url])
    post = b"POST /api/web/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    assert [(await edge.ask(post)).status for _ in range(4)] == [200] * 4
    assert [request.body for request in origin.requests] == [b"abc"] * 4


async def test_nodes_are_asked_by_weight(start_origin, edge_parts):
    upstream = edge_parts.upstream({"http://a": 4, "http://b": 1})
    assert "".join(upstream.pick()[0].url[-1] for _ in range(10)) == "aabaaaabaa"


async def test_drain_finishes_what_is_in_flight_and_closes_the_rest(start_origin, start_edge, wait_until):
    release = asyncio.Event()

    async def script(connection):
        await connection.read_request()
        await release.wait()
        connection.answer()

    origin = await start_origin(script)
    edge = await start_edge(origin)
    idle, busy = await edge.connect(), await edge.connect()
    busy.send(GET % b"")
    await wait_until(lambda: origin.requests)
    async with asyncio.TaskGroup() as group:
        group.create_task(edge.proxy.drain(5))
        assert await idle.is_closed_by_edge()
        release.set()
        answer = await busy.read_answer()
    assert (answer.status, answer.header("connection")) == (200, "close")
    assert edge.proxy.open_connections == 0
    with pytest.raises(ConnectionError):
        await edge.connect()


async def test_unread_answer_makes_the_upstream_wait(start_origin, start_edge):
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

    edge = await start_edge(await start_origin(script))
    client = await edge.connect()
    client.send(GET % b"")
    await client.read_answer(to_head=True)
    previous = -1
    while sent != previous:  # until the origin stands still
        previous = sent
        await asyncio.sleep(0.05)
    assert sent < total / 2
    left = total
    while left:
        left -= len(await client.reader.read(1 << 20))


async def test_upstream_that_reads_slowly_makes_the_client_wait(start_origin, start_edge, wait_until):
    release = asyncio.Event()

    async def script(connection):
        await connection.read_head()
        connection.writer.transport.pause_reading()
        await release.wait()
        connection.writer.transport.resume_reading()
        left = total
        while left:
            left -= len(await connection.reader.read(1 << 20))
        connection.answer()
        await connection.wait_closed_by_peer()

    total = 64 * 1024 * 1024
    origin = await start_origin(script)
    edge = await start_edge(origin, max_body_bytes=total)
    client = await edge.connect()
    client.send(b"POST /api/web/ HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % total)
    sent = 0

    async def upload():
        nonlocal sent
        while sent < total:
            client.send(bytes(65536))
            await client.writer.drain()
            sent += 65536

    async with asyncio.TaskGroup() as group:
        group.create_task(upload())
        await wait_until(lambda: origin.requests)
        previous = -1
        while sent != previous:
            previous = sent
            await asyncio.sleep(0.05)
        assert sent < total / 2
        release.set()
        assert (await client.read_answer()).status == 200
