"""Steps target, forward and answer: one call to an upstream, bodies streamed both ways, the answer passed on.

At most one node sees a request, unless nothing was sent to the one before, or a kept-alive connection turned
out to be dead under an idempotent request.
"""

from collections.abc import Mapping
from time import monotonic

from trivium_common.errors import BodyTooLarge
from trivium_common.http import ConnectionReset, DeadlinePassed, HttpError, PoolTimeout
from trivium_common.http.call import Call
from trivium_common.http.client import IDEMPOTENT_METHODS
from trivium_common.http.connection import ClientConnection
from trivium_common.http.stepper import PARK
from trivium_common.observability.context import is_valid_traceparent
from trivium_common.resilience.breaker import Outcome

from .answers import error_of_call
from .contracts import Route
from .exchange import EdgeExchange
from .header_rules import lines_down, lines_up, set_block
from .upstreams import Node

_MAX_RETRIES = 2
_NOT_MODIFIED = 304
_NO_NAMES: frozenset[bytes] = frozenset()
_TRACE_NAMES = frozenset({b"traceparent", b"tracestate"})
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
            head = _request_head(exchange, route, node, identity_lines)
            connection = node.pool.checkout_nowait()
            if connection is None:
                connecting = node.pool.checkout(route.timeouts.connect_s, exchange.deadline)
                connection = await exchange.in_task(connecting, give_back=node.pool.take_back)
            is_reused = connection.served > 0
            call = Call(exchange.wake, route.timeouts, exchange.deadline, is_head=exchange.method == "HEAD")
            if exchange.body_complete:
                connection.start(call, head + _whole_body(exchange), is_whole=True)
            else:
                await _stream_up(exchange, route, connection, call, head)
            while not call.status:
                if call.error is not None:
                    raise call.error
                await PARK
            exchange.upstream_answered_at = monotonic()
            exchange.status = call.status
            exchange.answered_by = "upstream"
            outcome = _outcome_of(call)
            lines = _answer_lines(exchange, route, call)
            if call.complete and not call.is_head and call.status != _NOT_MODIFIED:
                chunks = call.chunks
                exchange.respond_raw(call.status, lines, chunks[0] if len(chunks) == 1 else b"".join(chunks))
            else:
                await _stream_down(exchange, call, lines)
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


def _whole_body(exchange: EdgeExchange) -> bytes:
    """Return the end of the head and the body, which has come whole."""
    size = exchange.body_bytes
    if not size and exchange.method not in _BODY_EXPECTED:
        return b"\r\n"
    return b"content-length: %d\r\n\r\n%b" % (size, b"".join(exchange.take_body()))


async def _stream_up(
    exchange: EdgeExchange, route: Route, connection: ClientConnection, call: Call, head: bytes
) -> None:
    """Send the request with its body as it comes; stops when the upstream answers early or breaks."""
    length = exchange.content_length
    is_chunked = length is None
    framing = (
        b"transfer-encoding: chunked\r\n\r\n" if length is None else b"content-length: %d\r\n\r\n" % length
    )
    connection.start(call, head + framing, is_whole=False)
    while not call.status and call.error is None:
        chunks = exchange.take_body()
        if exchange.body_bytes > route.max_body_bytes:
            raise BodyTooLarge(f"the body is longer than {route.max_body_bytes} bytes")
        for chunk in chunks:
            connection.write(call, b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        if exchange.body_complete:
            connection.finish(call, b"0\r\n\r\n" if is_chunked else b"")
            return
        await PARK
        while call.write_paused and not call.status and call.error is None:
            await PARK


async def _stream_down(exchange: EdgeExchange, call: Call, lines: bytes) -> None:
    """Send the answer to the client as it comes. Raises: HttpError when the upstream breaks off."""
    exchange.begin(call.status, lines, call.content_length())
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


def _request_head(exchange: EdgeExchange, route: Route, node: Node, identity_lines: bytes) -> bytes:
    """Return the head for the upstream, without framing and without its last line."""
    path = exchange.path if route.rewrite is None else route.rewrite(exchange.path)
    query = exchange.query
    if query:
        query = b"?" + (exchange.upstream_query() if exchange.hidden_parameters else query)
    client = exchange.client
    upward_lines = client.upward_lines
    if route.hidden_headers or route.request_headers or exchange.hidden_cookies:
        upward_lines = _upward_lines_of_route(exchange, route)
    elif upward_lines is None:
        fields = exchange.fields
        hidden = _broken_trace(fields)
        upward_lines = client.upward_lines = lines_up(exchange.headers, fields.get(b"connection"), hidden)
    return b"%b%b HTTP/1.1\r\nhost: %b\r\n%b%bx-request-id: %b\r\nx-request-timeout-ms: %d\r\n%b%b" % (
        f"{exchange.method} {path}".encode("ascii"),
        query,
        node.host_header,
        upward_lines,
        client.forwarded_lines,
        exchange.request_id.encode("ascii"),
        max(1, int((exchange.deadline - exchange.upstream_started_at) * 1000)),
        identity_lines,
        b"x-retry-attempt: %d\r\n" % exchange.retries if exchange.retries else b"",
    )


def _upward_lines_of_route(exchange: EdgeExchange, route: Route) -> bytes:
    """Return the header lines when the route, or a step, hides or sets some."""
    block, replaced = set_block(route.request_headers)
    headers = exchange.headers
    cookie = exchange.fields.get(b"cookie")
    if exchange.hidden_cookies and cookie is not None:
        headers = [pair for pair in headers if pair[0] != b"cookie"]
        if left := exchange.upstream_cookie(cookie):
            headers.append((b"cookie", left))
    hidden = route.hidden_headers | replaced | _broken_trace(exchange.fields)
    return lines_up(headers, exchange.fields.get(b"connection"), hidden) + block


def _broken_trace(fields: Mapping[bytes, bytes]) -> frozenset[bytes]:
    """The trace headers to remove: a malformed traceparent makes the tracestate worthless too (W3C Trace Context §3.2)."""
    traceparent = fields.get(b"traceparent")
    return _NO_NAMES if traceparent is None or is_valid_traceparent(traceparent) else _TRACE_NAMES


def _answer_lines(exchange: EdgeExchange, route: Route, call: Call) -> bytes:
    block, replaced = set_block(route.response_headers) if route.response_headers else (b"", _NO_NAMES)
    return b"%bx-request-id: %b\r\n%b%b" % (
        lines_down(call, replaced),
        exchange.request_id.encode("ascii"),
        exchange.limit_lines,
        block,
    )


def _outcome_of(call: Call) -> Outcome:
    """A 5xx counts, unless a BFF says that it wrote it on purpose."""
    if call.status in _FAILURE_STATUSES and b"x-trivium-origin" not in call.fields:
        return Outcome.FAILURE
    return Outcome.SUCCESS
