"""The data path: `handle` is the whole life of a request, from the parsed head to the record. No exception leaves it."""

import logging
import socket
import ssl
from dataclasses import dataclass, field
from math import isfinite
from time import monotonic

from trivium_common.errors import (
    BadRequest,
    BodyTooLarge,
    Overloaded,
    RateLimited,
    RequestTimeout,
    RouteNotFound,
    TriviumError,
    UpstreamTimeout,
)
from trivium_common.http import (
    BrokenBody,
    ClientLeft,
    ClientTooSlow,
    DeadlinePassed,
    HttpServer,
    ProxyProtocol,
    ServerLimits,
)
from trivium_common.http.proxy_protocol import Network

from .answers import answer_error, error_of_fault, internal_error
from .contracts import Identity, Recorder, Route, TableProvider, Verdict
from .exchange import EdgeExchange
from .forward import forward
from .identify import TrustedProxies, identify, split_target
from .identity_headers import IdentityHeaders

logger = logging.getLogger("trivium.edge")

CLIENT_LEFT = 499
_BODYLESS_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What holds for every request of the process."""

    limits: ServerLimits = field(default_factory=ServerLimits)
    trusted_proxies: tuple[Network, ...] = ()
    proxy_protocol: bool = False
    max_in_flight: int = 4096


class Proxy:
    """One worker's data path. Make it inside the running loop, then `serve` each inherited socket."""

    def __init__(
        self,
        tables: TableProvider,
        *,
        settings: ProxySettings | None = None,
        identity_headers: IdentityHeaders | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self._tables = tables
        self._settings = settings or ProxySettings()
        self._identity_headers = identity_headers
        self._recorder = recorder
        self._proxies = TrustedProxies(self._settings.trusted_proxies)
        self._max_in_flight = self._settings.max_in_flight
        self._server = HttpServer(
            self.handle,
            limits=self._settings.limits,
            exchange_type=EdgeExchange,
            proxy_protocol=ProxyProtocol(self._settings.trusted_proxies)
            if self._settings.proxy_protocol
            else None,
        )

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return self._server.in_flight

    @property
    def open_connections(self) -> int:
        """Connections of clients."""
        return self._server.open_connections

    async def serve(self, sock: socket.socket, *, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections on a bound socket; returns at once."""
        await self._server.listen(sock, tls=tls)

    async def drain(self, timeout_s: float) -> None:
        """Stop accepting and finish what is in flight, for at most `timeout_s`."""
        await self._server.drain(timeout_s)

    async def handle(self, exchange: EdgeExchange) -> None:
        """Answer one request. The order of the steps is the design: cheap and certain refusals come first."""
        exchange.started_at = monotonic()
        try:
            # 1. Identify the request: id, address, canonical path.
            identify(exchange, self._proxies)
            if exchange.fault is not None:
                raise error_of_fault(exchange.fault)
            if self._server.in_flight > self._max_in_flight:
                raise Overloaded("too many requests are in flight", retry_after_s=1.0)
            split_target(exchange)

            # 2. Match the route, and refuse what no route of this kind can take.
            route = self._tables.table.match(exchange.method, exchange.host, exchange.path)
            if route is None:
                raise RouteNotFound
            exchange.route = route
            exchange.set_deadline(exchange.started_at + route.deadline_s)
            if exchange.has_body() or exchange.wants_upgrade:
                _check_shape(exchange, route)

            # 3. Authenticate: who asks.
            if route.authenticate is not None:
                found = route.authenticate(exchange)
                exchange.identity = found if isinstance(found, Identity) else await exchange.in_task(found)

            # 4. Authorise: whether they may.
            if route.authorise is not None:
                route.authorise(exchange, exchange.identity)

            # 5. Limit: how often they may.
            if route.limits:
                _charge(exchange, route)

            # 6. Pick a target, forward, answer.
            identity_lines = b""
            if exchange.identity is not None and self._identity_headers is not None:
                identity_lines = self._identity_headers.lines(exchange.identity, route.audience)
            await forward(exchange, route, identity_lines)
        except TriviumError as error:
            answer_error(exchange, error)
        except DeadlinePassed:
            is_client_slow = not exchange.body_complete
            answer_error(
                exchange,
                RequestTimeout() if is_client_slow else UpstreamTimeout("the request's time is over"),
            )
        except ClientLeft:
            exchange.status = CLIENT_LEFT
        except BrokenBody as broken:
            answer_error(exchange, error_of_fault(broken.fault))
        except ClientTooSlow:
            answer_error(exchange, RequestTimeout())
        except Exception as error:
            logger.exception("request %s met a fault of ours", exchange.request_id)
            answer_error(exchange, internal_error(error))

        # 7. Record: log, metrics, decision.
        exchange.finished_at = monotonic()
        if self._recorder is not None:
            self._recorder.record(exchange)


def _check_shape(exchange: EdgeExchange, route: Route) -> None:
    # The declared length, or what has come of a body without one: the rest is counted while it streams.
    if (exchange.content_length or exchange.body_bytes) > route.max_body_bytes:
        raise BodyTooLarge(f"the body is longer than {route.max_body_bytes} bytes")
    if exchange.has_body() and exchange.method in _BODYLESS_METHODS:
        raise BadRequest(f"a {exchange.method} request has no body here")
    if exchange.wants_upgrade and b"websocket" in exchange.fields.get(b"upgrade", b"").lower():
        raise BadRequest("this route speaks no WebSocket")


def _charge(exchange: EdgeExchange, route: Route) -> None:
    """Charge every limit until one refuses. Raises: RateLimited with the wait after which it would pass."""
    verdicts: list[Verdict] = []
    for limit in route.limits:
        verdict = limit.take_nowait(exchange)
        verdicts.append(verdict)
        if not verdict.allowed:
            break
    exchange.verdicts = tuple(verdicts)
    last = verdicts[-1]
    if not route.hide_limit_headers:
        shown = last if len(verdicts) == 1 or not last.allowed else min(verdicts, key=_remaining)
        exchange.limit_lines = b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\n" % (
            shown.limit,
            max(0, shown.remaining),
        )
    if not last.allowed:
        wait_s = last.retry_after_s
        raise RateLimited(
            f"the limit {last.rule} is used up", retry_after_s=wait_s if isfinite(wait_s) else None
        )


def _remaining(verdict: Verdict) -> int:
    return verdict.remaining
