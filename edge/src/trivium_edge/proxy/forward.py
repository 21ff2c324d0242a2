"""Steps target, forward and answer: one call to an upstream, bodies streamed both ways, the answer passed on.

At most one node sees a request, unless nothing was sent to the one before, or a kept-alive connection turned
out to be dead under an idempotent request.
"""

from time import monotonic

from trivium_common.errors import BodyTooLarge
from trivium_common.http import ConnectionReset, DeadlinePassed, HttpError, PoolTimeout
from trivium_common.http.call import Call
from trivium_common.http.client import IDEMPOTENT_METHODS
from trivium_common.http.connection import ClientConnection
from trivium_common.http.stepper import PARK
from trivium_common.resilience.breaker import Outcome

from .answers import error_of_call
from .contracts import Route
from .exchange import EdgeExchange
from .header_rules import lines_down, lines_up, set_block
from .upstreams import Node

_MAX_RETRIES = 2
_FAILURE_STATUSES = frozenset({500, 502, 503})
_BODY_EXPECTED = frozenset({"POST", "PUT", "PATCH"})


async def forward(exchange: EdgeExchange, route: Route, identity_lines: bytes) -> None:
    """Ask an upstream and pass its answer on.

    Raises: TriviumError when there is no answer to pass on; the upstream call is closed whatever is raised.
    """
    tried: tuple[Node, ...] = ()
    while True:
        node, permit = route.upstream.pick(tried)
        exchange.upstream_node = node.url
        exchange.upstream_started_at = monotonic()
        outcome = Outcome.NEUTRAL  # a client that leaves and a fault of ours prove nothing about the node
        call: Call | None = None
        is_reused = False
        try:
            connection = node.pool.checkout_nowait()
            if connection is None:
                connecting = node.pool.checkout(route.timeouts.connect_s, exchange.deadline)
                connection = await exchange.in_task(connecting)
            is_reused = connection.served > 0
            call = Call(exchange.wake, route.timeouts, exchange.deadline, is_head=exchange.method == "HEAD")
            await _ask(exchange, route, node, connection, call, identity_lines)
            outcome = _outcome_of(call)
            await _pass_on(exchange, route, call)
            return
        except HttpError as error:
            is_stale = is_reused and isinstance(error, ConnectionReset)
            outcome = Outcome.NEUTRAL if is_stale or isinstance(error, PoolTimeout) else Outcome.FAILURE
            if not _may_retry(exchange, route, error, is_stale=is_stale):
                raise error_of_call(error) from error
        except DeadlinePassed:
            if call is not None and not call.status and exchange.body_complete:
                outcome = Outcome.FAILURE
            raise
        finally:
            if call is not None:
                call.abort()
            node.record(permit, outcome)
        exchange.retries += 1
        tried = (*tried, node)


def _may_retry(exchange: EdgeExchange, route: Route, error: HttpError, *, is_stale: bool) -> bool:
    if exchange.answer_is_begun or exchange.retries >= _MAX_RETRIES:
        return False
    if is_stale:
        return exchange.retries == 0 and exchange.method in IDEMPOTENT_METHODS and not exchange.has_body()
    return not error.bytes_sent and exchange.retries + 1 < len(route.upstream.nodes)


async def _ask(
    exchange: EdgeExchange,
    route: Route,
    node: Node,
    connection: ClientConnection,
    call: Call,
    identity_lines: bytes,
) -> None:
    """Send the request; returns when the head of the answer is there. Raises: HttpError, BodyTooLarge."""
    head = _request_head(exchange, route, node, identity_lines)
    if exchange.body_complete:
        body = exchange.take_body()
        if exchange.body_bytes > route.max_body_bytes:
            connection.close()
            raise _too_large(route)
        if body or exchange.method in _BODY_EXPECTED:
            head.append(b"content-length: %d\r\n\r\n" % exchange.body_bytes)
            head += body
        else:
            head.append(b"\r\n")
        connection.start(call, b"".join(head), is_whole=True)
    else:
        await _stream_up(exchange, route, connection, call, head)
    while not call.status:
        if call.error is not None:
            raise call.error
        await PARK
    exchange.upstream_answered_at = monotonic()


async def _stream_up(
    exchange: EdgeExchange, route: Route, connection: ClientConnection, call: Call, head: list[bytes]
) -> None:
    """Send the request with its body as it comes; stops when the upstream answers early or breaks."""
    length = exchange.content_length
    is_chunked = length is None
    if length is None:
        head.append(b"transfer-encoding: chunked\r\n\r\n")
    else:
        head.append(b"content-length: %d\r\n\r\n" % length)
    connection.start(call, b"".join(head), is_whole=False)
    while not call.status and call.error is None:
        chunks = exchange.take_body()
        if exchange.body_bytes > route.max_body_bytes:
            raise _too_large(route)
        for chunk in chunks:
            connection.write(call, b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        if exchange.body_complete:
            connection.finish(call, b"0\r\n\r\n" if is_chunked else b"")
            return
        await PARK
        while call.write_paused and not call.status and call.error is None:
            await PARK


async def _pass_on(exchange: EdgeExchange, route: Route, call: Call) -> None:
    """Send the answer to the client as it comes. Raises: HttpError when the upstream breaks off."""
    status = call.status
    exchange.status = status
    exchange.answered_by = "upstream"
    lines = _answer_lines(exchange, route, call)
    if call.complete and call.has_body():
        exchange.respond_raw(status, lines, b"".join(call.take()))
        return
    exchange.begin(status, lines, call.content_length())
    while True:
        for chunk in call.take():
            exchange.write(chunk)
        if call.complete:
            exchange.end()
            return
        if call.error is not None:
            raise call.error
        exchange.flush_head()
        await PARK
        while exchange.write_paused:
            await PARK


def _request_head(exchange: EdgeExchange, route: Route, node: Node, identity_lines: bytes) -> list[bytes]:
    path = exchange.path if route.rewrite is None else route.rewrite(exchange.path)
    query = exchange.upstream_query()
    target = f"{exchange.method} {path}".encode("ascii")
    if query:
        target = b"%b?%b" % (target, query)
    fields = exchange.fields
    hidden = route.hidden_headers
    block = b""
    if route.request_headers:
        block, replaced = set_block(route.request_headers)
        hidden |= replaced
    headers = exchange.headers
    if exchange.hidden_cookies and b"cookie" in fields:
        cookie = exchange.upstream_cookie(fields[b"cookie"])
        headers = [pair for pair in headers if pair[0] != b"cookie"]
        if cookie:
            headers.append((b"cookie", cookie))
    return [
        b"%b HTTP/1.1\r\nhost: %b\r\n" % (target, node.host_header),
        *lines_up(headers, fields.get(b"connection"), hidden),
        b"x-request-id: %b\r\nx-request-timeout-ms: %d\r\nx-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nx-forwarded-host: %b\r\n"
        % (
            exchange.request_id.encode("ascii"),
            max(1, int((exchange.deadline - exchange.upstream_started_at) * 1000)),
            exchange.forwarded_for,
            exchange.scheme.encode("ascii"),
            fields.get(b"host", b""),
        ),
        identity_lines,
        block,
        b"x-retry-attempt: %d\r\n" % exchange.retries if exchange.retries else b"",
    ]


def _answer_lines(exchange: EdgeExchange, route: Route, call: Call) -> bytes:
    block, replaced = set_block(route.response_headers)
    return b"".join(
        [
            *lines_down(call.headers, replaced),
            b"x-request-id: %b\r\n" % exchange.request_id.encode("ascii"),
            exchange.limit_lines,
            block,
        ]
    )


def _outcome_of(call: Call) -> Outcome:
    """A 5xx counts, unless a BFF says that it wrote it on purpose."""
    if call.status in _FAILURE_STATUSES and not any(name == b"x-trivium-origin" for name, _ in call.headers):
        return Outcome.FAILURE
    return Outcome.SUCCESS


def _too_large(route: Route) -> BodyTooLarge:
    return BodyTooLarge(f"the body is longer than {route.max_body_bytes} bytes")
