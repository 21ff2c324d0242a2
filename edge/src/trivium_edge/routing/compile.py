"""From a checked configuration to the table that requests are matched against. One per generation, swapped whole."""

from collections.abc import Callable, Mapping

from trivium_common.http.limits import PoolLimits, Timeouts
from trivium_common.resilience.breaker import BreakerPolicy
from trivium_edge.auth.consumers import ApiKeys, ConsumerApp, compile_api_keys, compile_apps, to_app
from trivium_edge.auth.issuers import IssuerSet
from trivium_edge.auth.steps import (
    Authenticate,
    accept_api_keys,
    accept_both,
    accept_tokens,
    compile_authorise,
)
from trivium_edge.auth.tokens import TokenVerifier
from trivium_edge.config.models import (
    Filters,
    GatewayConfig,
    RouteSettings,
    TimeoutSettings,
    UpstreamSettings,
)
from trivium_edge.control.snapshot import Snapshot
from trivium_edge.limits.limits import LimiterStore
from trivium_edge.proxy.paths import compile_rewrite
from trivium_edge.proxy.upstreams import NodeSpec, Upstream, UpstreamSpec
from trivium_edge.routing.entries import pair_up
from trivium_edge.routing.explain import explain_route
from trivium_edge.routing.pattern import parse_pattern
from trivium_edge.routing.route import Route
from trivium_edge.routing.table import RouteTable

MakeUpstream = Callable[[UpstreamSpec, Upstream | None], Upstream]


class TableCompiler:
    """Compiles generation after generation; counts, keys, pools and breakers live on from one to the next."""

    def __init__(self, issuers: IssuerSet, limiters: LimiterStore, make_upstream: MakeUpstream) -> None:
        self._issuers = issuers
        self._limiters = limiters
        self._make_upstream = make_upstream
        self.upstreams: Mapping[str, Upstream] = {}

    def compile(self, snapshot: Snapshot) -> RouteTable[Route]:
        """The table of a snapshot. Raises ValueError for what the checks let through by mistake."""
        config = snapshot.config
        self._issuers.start(config.global_.token_issuers)
        upstreams = {
            name: self._make_upstream(_upstream_spec(name, settings), self.upstreams.get(name))
            for name, settings in config.upstreams.items()
        }
        step_maker = _StepMaker(config, self._issuers)
        routes = [
            self._compile_route(config, settings, upstreams, step_maker, snapshot.places)
            for settings in config.routes
        ]
        table = RouteTable(routes, snapshot.generation)
        # Only now, when nothing can fail any more, is anything of the generation before given up.
        self.upstreams = upstreams
        self._issuers.keep_only(config.global_.token_issuers)
        self._limiters.keep_only([limit for route in routes for limit in route.limits])
        return table

    def _compile_route(
        self,
        config: GatewayConfig,
        settings: RouteSettings,
        upstreams: Mapping[str, Upstream],
        steps: "_StepMaker",
        places: Mapping[str, str],
    ) -> Route:
        filters = config.filters_of(settings)
        limits = config.global_.limits
        timeouts = settings.timeout or config.upstreams[settings.upstream].timeout
        rewrite = filters.proxy_rewrite
        return Route(
            id=settings.id,
            explained=explain_route(settings, filters, places),
            pattern=parse_pattern(settings.uri),
            hosts=settings.hosts,
            methods=frozenset(settings.methods),
            authenticate=steps.authenticate(filters, settings.client_kind),
            authorise=compile_authorise(settings.client_kind, filters.acl, steps.consumers),
            limits=self._limiters.compile(settings.id, filters.limit, limits.max_limiter_keys),
            upstream=upstreams[settings.upstream],
            rewrite=compile_rewrite(pair_up(rewrite.regex_uri)) if rewrite is not None else None,
            audience=settings.audience,
            timeouts=_timeouts(timeouts),
            deadline_s=settings.deadline or timeouts.connect + timeouts.send + timeouts.read,
            max_body_bytes=limits.max_body if settings.max_body is None else settings.max_body,
            request_headers=_header_lines(rewrite.headers if rewrite is not None else {}),
            response_headers=_header_lines(filters.response_headers.set if filters.response_headers else {}),
            hide_limit_headers=any(limit.hide_client_headers for limit in filters.limit),
        )


class _StepMaker:
    """The authentication steps of one generation. Routes that accept the same issuers share a verifier."""

    def __init__(self, config: GatewayConfig, issuers: IssuerSet) -> None:
        self._issuers = issuers
        self._settings = config.global_.token_issuers
        self._apps = compile_apps(config.consumers)
        self._api_keys: ApiKeys = compile_api_keys(config.consumers)
        self._verifiers: dict[frozenset[str], TokenVerifier] = {}
        self.consumers: Mapping[str, ConsumerApp] = {
            consumer.name: to_app(consumer) for consumer in config.consumers
        }

    def authenticate(self, filters: Filters, client_kind: str | None) -> Authenticate | None:
        """The step of a route with these filters."""
        if filters.jwt_auth is None:
            return accept_api_keys(self._api_keys) if filters.key_auth is not None else None
        verifier = self._verifier(frozenset(filters.jwt_auth.issuers))
        if filters.key_auth is not None:
            return accept_both(verifier, self._api_keys)
        return accept_tokens(verifier, self._api_keys, client_kind)

    def _verifier(self, names: frozenset[str]) -> TokenVerifier:
        if names not in self._verifiers:
            self._verifiers[names] = TokenVerifier(self._issuers.trusted(self._settings, names), self._apps)
        return self._verifiers[names]


def _upstream_spec(name: str, settings: UpstreamSettings) -> UpstreamSpec:
    breaker, pool = settings.breaker, settings.keepalive_pool
    policy = BreakerPolicy(
        failures_to_open=breaker.failures,
        successes_to_close=breaker.successes,
        base_wait_s=breaker.base_wait,
        factor=breaker.factor,
        max_wait_s=breaker.max_wait,
    )
    return UpstreamSpec(
        name=name,
        nodes=tuple(NodeSpec(url=node.url, weight=node.weight) for node in settings.nodes if node.weight),
        timeouts=_timeouts(settings.timeout),
        breaker=policy if breaker.enabled else None,
        pool=PoolLimits(
            max_connections=pool.max_connections,
            max_idle=min(pool.size, pool.max_connections),
            max_requests_per_connection=pool.requests,
            max_waiting=pool.max_pending,
            idle_s=pool.idle_timeout,
        ),
    )


def _timeouts(settings: TimeoutSettings) -> Timeouts:
    return Timeouts(connect_s=settings.connect, send_s=settings.send, read_s=settings.read)


def _header_lines(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in headers.items())
