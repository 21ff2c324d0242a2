"""What no single value shows: routes that hide each other, expressions that run away, unsafe combinations.

Errors make the configuration unusable; warnings name what is legal and probably not meant.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from trivium_common.auth.development import is_development_admin_hash, is_development_api_key_hash
from trivium_edge.config.expressions import find_rewrite_problems
from trivium_edge.config.models import GatewayConfig, Limit, RouteSettings
from trivium_edge.config.positions import Fault, Node, PathPart, Severity, spell_path
from trivium_edge.routing.entries import RouteEntry, compile_entries
from trivium_edge.routing.pattern import parse_pattern
from trivium_edge.routing.table import RouteTable, SameRequests


def find_errors(config: GatewayConfig, tree: Node) -> Iterator[Fault]:
    """All that makes a well-formed configuration unusable."""
    teller = _Teller(tree, Severity.ERROR)
    yield from _find_route_errors(config, teller)
    yield from _find_global_errors(config, teller)
    if config.global_.environment == "production":
        yield from _find_development_keys(config, teller)


def find_warnings(config: GatewayConfig, tree: Node) -> Iterator[Fault]:
    """All that is legal and probably not meant."""
    teller = _Teller(tree, Severity.WARNING)
    yield from _find_unsafe_settings(config, teller)
    yield from _find_unused(config, teller)


class _Teller:
    def __init__(self, tree: Node, severity: Severity) -> None:
        self._tree = tree
        self._severity = severity

    def __call__(self, path: list[PathPart], message: str) -> Fault:
        return Fault(self._tree.nearest(path).at, spell_path(path), message, self._severity)

    def line(self, path: list[PathPart]) -> str:
        at = self._tree.nearest(path).at
        return f"{at.file}:{at.line}"


def _find_route_errors(config: GatewayConfig, tell: _Teller) -> Iterator[Fault]:
    for index, route in enumerate(config.routes):
        try:
            parse_pattern(route.uri)
        except ValueError as error:
            yield tell(["routes", index, "uri"], str(error))
        yield from _find_filter_errors(config, route, index, tell)
    yield from _find_hidden(config, compile_entries(config), tell)


def _find_hidden(config: GatewayConfig, entries: list[RouteEntry], tell: _Teller) -> Iterator[Fault]:
    """Each pass names one route that is never reached and goes on without it."""
    while True:
        try:
            RouteTable(entries)
            return
        except SameRequests as same:
            hidden, seen = entries[same.index], config.routes[entries[same.other_index].index]
            where = tell.line(["routes", entries[same.other_index].index, "uri"])
            path: list[PathPart] = ["routes", hidden.index, "uri"]
            yield tell(path, f"never reached: the route {seen.id} at {where} answers the same requests")
            entries.pop(same.index)


def _find_filter_errors(
    config: GatewayConfig, route: RouteSettings, index: int, tell: _Teller
) -> Iterator[Fault]:
    filters = config.filters_of(route)
    here: list[PathPart] = ["routes", index]
    is_authenticated = filters.jwt_auth is not None or filters.key_auth is not None
    if route.client_kind and not is_authenticated:
        yield tell(
            [*here, "client_kind"], "needs jwt-auth or key-auth in the filters: nobody is known without it"
        )
    if filters.acl and not is_authenticated:
        yield tell(
            [*here, "filters", "acl"], "needs jwt-auth or key-auth beside it: nobody is known without it"
        )
    if filters.jwt_auth is not None and not config.global_.token_issuers:
        yield tell(
            [*here, "filters", "jwt-auth"], "needs an entry in global.token_issuers, and there is none"
        )
    names = [limit.name or limit.limit_by for limit in filters.limit]
    for place, name in enumerate(names):
        if name in names[:place]:
            yield tell(
                [*here, "filters", "limit", place],
                f"a second limit called {name}; give it a `name` of its own",
            )
    if filters.proxy_rewrite is not None:
        for place, message in find_rewrite_problems(filters.proxy_rewrite.regex_uri):
            yield tell([*here, "filters", "proxy-rewrite", "regex_uri", place], message)


def _find_global_errors(config: GatewayConfig, tell: _Teller) -> Iterator[Fault]:
    section = config.global_
    if section.proxy_protocol and not section.trusted_proxies:
        yield tell(
            ["global", "proxy_protocol"],
            "needs trusted_proxies: without them no connection would be accepted",
        )
    taken: dict[int, str] = {}
    for name in ("proxy", "admin", "status", "metrics"):
        port = getattr(section, name).port
        if port and port in taken:
            yield tell(["global", name, "port"], f"port {port} is taken by {taken[port]}")
        taken[port] = name


def _find_development_keys(config: GatewayConfig, tell: _Teller) -> Iterator[Fault]:
    if config.global_.edge_identity.private_key is None:
        yield tell(
            ["global", "edge_identity", "private_key"],
            "is not set, and production refuses the development key; "
            "make one with `trivium key signing` and set TRIVIUM_EDGE_PRIVATE_KEY to its file",
        )
    for place, key in enumerate(config.global_.admin.keys):
        if is_development_admin_hash(key.hash):
            yield tell(
                ["global", "admin", "keys", place, "hash"],
                "the development admin key is refused in production",
            )
    for index, consumer in enumerate(config.consumers):
        for place, api_key in enumerate(consumer.api_keys):
            if is_development_api_key_hash(api_key.hash):
                path: list[PathPart] = ["consumers", index, "api_keys", place, "hash"]
                yield tell(
                    path, "a development API key is refused in production; `trivium key create` makes one"
                )


def _is_beyond_this_machine(host: str) -> bool:
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _find_unsafe_settings(config: GatewayConfig, tell: _Teller) -> Iterator[Fault]:
    section = config.global_
    if _is_beyond_this_machine(section.admin.host):
        yield tell(
            ["global", "admin", "host"], "the admin API listens beyond this machine; publish its port nowhere"
        )
    limits = list(_list_limits(config))
    if section.workers > 1 and limits:
        yield tell(
            limits[0][0],
            f"policy local: each of the {section.workers} workers counts alone, so more may pass"
            + (f" (the same holds for {len(limits) - 1} further limits)" if len(limits) > 1 else ""),
        )
    if _is_beyond_this_machine(section.proxy.host) and not section.trusted_proxies:
        for path, limit in limits:
            if limit.limit_by == "address":
                told = "counts by address, and behind a balancer all clients have its address; set trusted_proxies"
                yield tell(path, told)
    for index, route in enumerate(config.routes):
        filters = config.filters_of(route)
        is_authenticated = filters.jwt_auth is not None or filters.key_auth is not None
        if route.client_kind is None and is_authenticated:
            yield tell(["routes", index], "client_kind is not set: credentials of every kind of client pass")
        if not is_authenticated and not filters.limit:
            yield tell(["routes", index], "neither authentication nor a limit: anyone may call without end")


def _list_limits(config: GatewayConfig) -> Iterator[tuple[list[PathPart], Limit]]:
    for index, route in enumerate(config.routes):
        for place, limit in enumerate(config.filters_of(route).limit):
            yield ["routes", index, "filters", "limit", place], limit


def _find_unused(config: GatewayConfig, tell: _Teller) -> Iterator[Fault]:
    used = {route.upstream for route in config.routes}
    for name in config.upstreams:
        if name not in used:
            yield tell(["upstreams", name], "no route leads to this upstream")
    kinds = {route.client_kind for route in config.routes}
    for index, consumer in enumerate(config.consumers):
        if not consumer.client_ids and not consumer.api_keys:
            yield tell(
                ["consumers", index], "has neither client_ids nor api_keys, so nobody can be this consumer"
            )
        elif consumer.kind not in kinds and None not in kinds:
            yield tell(["consumers", index, "kind"], f"no route takes clients of the kind {consumer.kind}")
