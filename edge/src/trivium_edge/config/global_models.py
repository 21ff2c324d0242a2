"""The models of the `global` section: where the edge listens, whom it trusts, what it bounds."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from trivium_edge.config.values import (
    FROM_COMMAS,
    Bytes,
    Count,
    Flag,
    HttpUrl,
    KeyHash,
    Name,
    Network,
    Port,
    Seconds,
    Text,
    Workers,
)


class Strict(BaseModel):
    """A section of the configuration: unknown keys refused, frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Endpoint(Strict):
    """An address to listen on."""

    host: Text = Field(default="127.0.0.1", description="Address to bind.")
    port: Port = Field(default=0, description="Port to bind; 0 takes any free one.")


class ProxyEndpoint(Endpoint):
    """Where clients connect."""

    port: Port = Field(default=8000, description="Port to bind; 0 takes any free one.")
    backlog: Count = Field(
        default=1024,
        ge=1,
        le=65535,
        description="Connections that may wait to be accepted, over all workers.",
    )


class AdminKey(Strict):
    """A key that opens the admin API."""

    id: Name = Field(description="Name of the key, written into the audit log.")
    hash: KeyHash = Field(description="Hash of the key: sha256: and 64 hexadecimal digits.")


class AdminEndpoint(Endpoint):
    """The admin API, for operators. Keep it on loopback or an internal network."""

    port: Port = Field(default=8001, description="Port to bind; 0 takes any free one.")
    keys: Annotated[tuple[AdminKey, ...], FROM_COMMAS] = Field(
        default=(), description="Keys that open the admin API; without any it answers 401 to everything."
    )


class StatusEndpoint(Endpoint):
    """/livez, /readyz and /health, for balancers and orchestrators."""

    port: Port = Field(default=8100, description="Port to bind; 0 takes any free one.")


class MetricsEndpoint(Endpoint):
    """/metrics, for Prometheus."""

    port: Port = Field(default=9091, description="Port to bind; 0 takes any free one.")


class RequestLimits(Strict):
    """Bounds on what clients may send. Every one of them has a default that is safe."""

    max_headers: Bytes = Field(default=64 * 1024, ge=1024, description="Size of a request's header section.")
    max_header_count: Count = Field(default=100, ge=8, le=1000, description="Number of header lines.")
    max_url: Bytes = Field(default=8 * 1024, ge=256, description="Length of the request target.")
    max_body: Bytes = Field(default=2_000_000, description="Size of a request body; a route may set its own.")
    header_timeout: Seconds = Field(default=10.0, description="For a request's headers to arrive.")
    body_timeout: Seconds = Field(default=30.0, description="For the next part of a request body to arrive.")
    idle_timeout: Seconds = Field(default=75.0, description="After which an idle connection is closed.")
    max_in_flight: Count = Field(
        default=4096, ge=1, description="Requests in flight per worker; above it the edge answers 503."
    )
    max_limiter_keys: Count = Field(
        default=100_000,
        ge=100,
        description="Callers remembered per limit and worker; the longest unseen is forgotten.",
    )


class TokenIssuer(Strict):
    """An OpenID provider whose access tokens are accepted."""

    name: Name = Field(description="Name that logs and readiness use.")
    issuer: HttpUrl = Field(description="The `iss` claim, exactly.")
    discovery_url: HttpUrl | None = Field(
        default=None,
        description="Where the provider's metadata is fetched, if not from the issuer's own address "
        "(in containers the two differ). Default: issuer + /.well-known/openid-configuration.",
    )
    jwks_url: HttpUrl | None = Field(
        default=None,
        description="Where its keys are fetched; default: the metadata's jwks_uri.",
    )
    audiences: Annotated[tuple[Text, ...], FROM_COMMAS] = Field(
        default=("trivium",), min_length=1, description="`aud` must hold one of these."
    )
    algorithms: Annotated[tuple[Literal["RS256", "PS256", "ES256", "Ed25519"], ...], FROM_COMMAS] = Field(
        default=("RS256",), min_length=1, description="Signature algorithms that are accepted."
    )
    token_types: Annotated[tuple[Literal["at+jwt", "jwt"], ...], FROM_COMMAS] = Field(
        default=("at+jwt",),
        min_length=1,
        description="The `typ` header. `jwt` admits providers that predate RFC 9068, and may admit id tokens.",
    )
    leeway: Seconds = Field(default=5.0, le=300, description="Difference of clocks that is tolerated.")
    max_lifetime: Seconds = Field(
        default=86400.0, description="A token that lives longer than this is refused."
    )
    cache_for: Seconds = Field(default=60.0, le=60, description="How long a verified token is remembered.")
    refresh: Seconds = Field(default=300.0, ge=1, description="How often the keys are fetched again.")
    keep_keys_for: Seconds = Field(
        default=86400.0, description="How long the last good keys serve while the provider is away."
    )


class EdgeIdentitySettings(Strict):
    """How the edge vouches for callers towards the BFFs (X-Edge-Identity)."""

    private_key: str | None = Field(
        default=None,
        description="File with the Ed25519 private key (JWK or PEM); unset: the development key.",
    )


class AccessLog(Strict):
    """One line on standard output for each request."""

    enabled: Flag = Field(default=True, description="Whether requests are logged.")
    buffer: Bytes = Field(
        default=1024 * 1024,
        ge=4096,
        description="Bytes that may wait to be written; beyond it lines are dropped, and counted.",
    )


class Global(Strict):
    """What concerns the whole process."""

    environment: Literal["development", "production"] = Field(
        default="development", description="`production` refuses keys that are only good for development."
    )
    workers: Workers = Field(default=2, description="Worker processes; `auto`: one per core.")
    drain_timeout: Seconds = Field(
        default=4.0,
        le=600,
        description="How long requests in flight may take after SIGTERM before they are cut.",
    )
    proxy: ProxyEndpoint = Field(default=ProxyEndpoint(), description="Where clients connect.")
    admin: AdminEndpoint = Field(default=AdminEndpoint(), description="The admin API.")
    status: StatusEndpoint = Field(default=StatusEndpoint(), description="Health answers.")
    metrics: MetricsEndpoint = Field(default=MetricsEndpoint(), description="Prometheus metrics.")
    trusted_proxies: Annotated[tuple[Network, ...], FROM_COMMAS] = Field(
        default=(), description="Balancers whose X-Forwarded-For and PROXY headers are believed."
    )
    proxy_protocol: Flag = Field(
        default=False,
        description="Require PROXY protocol (v1 or v2) on every connection from trusted_proxies.",
    )
    limits: RequestLimits = Field(default=RequestLimits(), description="Bounds on requests.")
    token_issuers: Annotated[tuple[TokenIssuer, ...], FROM_COMMAS] = Field(
        default=(),
        max_length=16,
        description="OpenID providers whose access tokens the jwt-auth filter accepts.",
    )
    edge_identity: EdgeIdentitySettings = Field(
        default=EdgeIdentitySettings(), description="The signed identity for BFFs."
    )
    access_log: AccessLog = Field(default=AccessLog(), description="The access log.")
