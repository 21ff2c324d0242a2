"""The models of gateway.yaml: consumers, upstreams, routes and their filters."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from trivium_edge.config.global_models import Global, Strict
from trivium_edge.config.values import (
    FROM_COMMAS,
    ONE_OR_MANY,
    Bytes,
    Count,
    Flag,
    HeaderName,
    HeaderValue,
    HostPattern,
    KeyHash,
    Name,
    Number,
    Origin,
    Seconds,
    Text,
)

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ApiKey(Strict):
    """A consumer's API key; only its hash is kept."""

    id: Name = Field(description="Name of the key in logs.")
    hash: KeyHash = Field(description="Hash of the key: sha256: and 64 hexadecimal digits.")
    subject: Text | None = Field(
        default=None,
        max_length=128,
        description="The person or device the key stands for; unset: the consumer itself.",
    )


class Consumer(Strict):
    """An app or device that calls."""

    name: Name = Field(description="Name in logs, metrics and X-Consumer.")
    kind: Name = Field(description="Kind of client: web, mobile, iot, or one of your own.")
    client_ids: Annotated[tuple[Text, ...], FROM_COMMAS] = Field(
        default=(), description="OAuth client ids (`azp` or `client_id`) of this app."
    )
    api_keys: tuple[ApiKey, ...] = Field(
        default=(), description="API keys of this consumer; two at a time to rotate."
    )
    groups: tuple[Name, ...] = Field(default=(), description="Groups that a route's acl may ask for.")


class UpstreamNode(Strict):
    """One address of an upstream."""

    url: Origin = Field(description="http://host:port, https://host or unix:///path; no path.")
    weight: Count = Field(default=1, ge=0, le=1000, description="Share of requests; 0 takes the node out.")


class TimeoutSettings(Strict):
    """How long a step of an upstream call may take."""

    connect: Seconds = Field(default=3.0, description="To connect.")
    send: Seconds = Field(default=10.0, description="To send the next part of the request.")
    read: Seconds = Field(default=30.0, description="To receive the next part of the answer.")


class BreakerSettings(Strict):
    """When an upstream that fails is left alone, and for how long."""

    enabled: Flag = Field(default=True, description="Whether the breaker acts.")
    failures: Count = Field(default=3, ge=1, le=1000, description="Consecutive failures that open it.")
    successes: Count = Field(default=2, ge=1, le=1000, description="Probes that must succeed to close it.")
    base_wait: Seconds = Field(default=2.0, description="First wait.")
    factor: Number = Field(
        default=2.0, ge=1, le=10, description="Growth of the wait with every failed probe."
    )
    max_wait: Seconds = Field(default=60.0, description="Longest wait.")

    @model_validator(mode="after")
    def _check_waits(self) -> "BreakerSettings":
        if self.base_wait > self.max_wait:
            raise ValueError(
                f"base_wait ({self.base_wait:g} s) is longer than max_wait ({self.max_wait:g} s)"
            )
        return self


class KeepalivePool(Strict):
    """Connections to each node that are kept open, per worker."""

    max_connections: Count = Field(default=256, ge=1, le=10_000, description="Connections per node.")
    size: Count = Field(default=128, ge=1, le=10_000, description="Of them, how many may stay open unused.")
    idle_timeout: Seconds = Field(default=60.0, description="After which an idle connection is closed.")
    requests: Count = Field(default=1000, ge=1, description="Requests over one connection.")
    max_pending: Count = Field(default=1024, ge=0, description="Requests that may wait for a connection.")


class UpstreamSettings(Strict):
    """A BFF, as one or several nodes."""

    type: Literal["roundrobin"] = Field(
        default="roundrobin", description="How a node is picked: weighted round robin."
    )
    nodes: tuple[UpstreamNode, ...] = Field(min_length=1, max_length=256, description="Its addresses.")
    timeout: TimeoutSettings = Field(
        default=TimeoutSettings(), description="Timeouts; a route may set its own."
    )
    breaker: BreakerSettings = Field(
        default=BreakerSettings(), description="The circuit breaker of each node."
    )
    keepalive_pool: KeepalivePool = Field(
        default=KeepalivePool(), description="The connection pool of each node."
    )

    @model_validator(mode="after")
    def _check_weights(self) -> "UpstreamSettings":
        if not any(node.weight for node in self.nodes):
            raise ValueError("every node has weight 0; give at least one a weight of 1 or more")
        return self


class JwtAuth(Strict):
    """Accept access tokens in `Authorization: Bearer`."""

    issuers: tuple[Name, ...] = Field(
        default=(), description="Names of the token_issuers this route accepts; empty: all of them."
    )


class KeyAuth(Strict):
    """Accept API keys in `X-API-Key`."""


class Acl(Strict):
    """Who among the authenticated may pass."""

    groups: tuple[Name, ...] = Field(default=(), description="The consumer must be in one of these groups.")
    consumers: tuple[Name, ...] = Field(default=(), description="The consumer must be one of these.")
    scopes: tuple[Text, ...] = Field(default=(), description="The token must carry all of these scopes.")


class Limit(Strict):
    """How many requests pass. 429 beyond it, with a Retry-After that holds."""

    name: Name | None = Field(
        default=None, description="Name in metrics and `explain`; default: what it counts by."
    )
    algorithm: Literal["token_bucket"] = Field(
        default="token_bucket", description="A bucket that refills evenly."
    )
    rate: Number = Field(gt=0, le=1e6, description="Requests per second that it refills.")
    burst: Count = Field(ge=1, le=10_000_000, description="Requests that may come at once.")
    limit_by: Literal["subject", "consumer", "address", "header", "route"] = Field(
        default="subject",
        description="Whose requests are counted together: subject, else the consumer, else the address.",
    )
    header_name: HeaderName | None = Field(default=None, description="The header, for limit_by: header.")
    policy: Literal["local"] = Field(default="local", description="Each worker counts alone.")
    hide_client_headers: Flag = Field(default=False, description="Leave out X-RateLimit-*.")

    @model_validator(mode="after")
    def _check_header(self) -> "Limit":
        if (self.limit_by == "header") != (self.header_name is not None):
            raise ValueError("header_name and `limit_by: header` belong together; give both or neither")
        return self


class ProxyRewrite(Strict):
    """Change the path on its way to the upstream."""

    regex_uri: tuple[str, ...] = Field(
        min_length=2, max_length=20, description="Pattern and replacement, in turns; $1 is the first group."
    )
    headers: dict[HeaderName, HeaderValue] = Field(default={}, description="Request headers to set.")

    @model_validator(mode="after")
    def _check_pairs(self) -> "ProxyRewrite":
        if len(self.regex_uri) % 2:
            raise ValueError("regex_uri holds a pattern without a replacement; expected pairs")
        return self


class ResponseHeaders(Strict):
    """Set headers on the answer."""

    set: dict[HeaderName, HeaderValue] = Field(min_length=1, description="Header names and values.")


def _read_empty_as_default(value: object) -> object:
    """`jwt-auth:` with nothing behind it switches the filter on as it is."""
    return {} if value is None else value


class Filters(Strict):
    """What a route does besides forwarding. A filter that is not written does not run."""

    jwt_auth: Annotated[JwtAuth, BeforeValidator(_read_empty_as_default)] | None = Field(
        default=None, alias="jwt-auth", description="Accept access tokens."
    )
    key_auth: Annotated[KeyAuth, BeforeValidator(_read_empty_as_default)] | None = Field(
        default=None, alias="key-auth", description="Accept API keys."
    )
    acl: Acl | None = Field(default=None, description="Who may pass.")
    limit: Annotated[tuple[Limit, ...], ONE_OR_MANY, FROM_COMMAS] = Field(
        default=(), max_length=8, description="Limits, in order: the first that refuses ends the request."
    )
    proxy_rewrite: ProxyRewrite | None = Field(
        default=None, alias="proxy-rewrite", description="Change the path."
    )
    response_headers: ResponseHeaders | None = Field(
        default=None, alias="response-headers", description="Set headers on the answer."
    )


class RouteSettings(Strict):
    """Which requests go to which upstream, and what is asked of them first."""

    id: Name = Field(description="Name in logs, metrics and `explain`.")
    uri: Text = Field(
        max_length=1024,
        description="Path: exact (/health), below a prefix (/api/web/*), or with one-segment fields (/devices/{id}).",
    )
    hosts: tuple[HostPattern, ...] = Field(default=(), description="Hosts, or *.domain; empty: every host.")
    methods: tuple[Method, ...] = Field(default=(), description="Methods; empty: all.")
    upstream: Name = Field(description="Name of the upstream.")
    client_kind: Name | None = Field(
        default=None, description="Kind of client whose credentials pass; others get 403."
    )
    audience: str = Field(
        default="",
        max_length=128,
        description="Audience of X-Edge-Identity; empty: no signed identity is sent.",
    )
    timeout: TimeoutSettings | None = Field(default=None, description="Timeouts, where not the upstream's.")
    deadline: Seconds | None = Field(
        default=None, description="Budget of a whole request; default: connect + send + read of its timeouts."
    )
    max_body: Bytes | None = Field(
        default=None, description="Size of a request body, where not the global one."
    )
    filters: Filters = Field(default=Filters(), description="What the route does besides forwarding.")


class GatewayConfig(Strict):
    """gateway.yaml as a whole."""

    format_version: Literal[1] = Field(description="Version of this format; 1 is the only one.")
    include: tuple[Text, ...] = Field(
        default=(), description="Files (patterns allowed) with further consumers, upstreams and routes."
    )
    global_: Global = Field(default=Global(), alias="global", description="What concerns the whole process.")
    consumers: tuple[Consumer, ...] = Field(default=(), description="Apps and devices that call.")
    upstreams: dict[Name, UpstreamSettings] = Field(default={}, description="The BFFs, by name.")
    filters: Filters = Field(
        default=Filters(), description="Filters of every route that does not set its own."
    )
    routes: tuple[RouteSettings, ...] = Field(default=(), description="Which requests go where.")

    def filters_of(self, route: RouteSettings) -> Filters:
        """The filters that act on `route`: its own, and those of every route that it does not set itself."""
        shared = {name: getattr(self.filters, name) for name in self.filters.model_fields_set}
        own = {name: getattr(route.filters, name) for name in route.filters.model_fields_set}
        return Filters.model_construct(**{**shared, **own})
