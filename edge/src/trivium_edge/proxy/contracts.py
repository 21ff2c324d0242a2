"""What the data path asks of the rest of the edge: routes, identities, limits, recording. Types only."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trivium_common.http import Timeouts

if TYPE_CHECKING:
    from .exchange import EdgeExchange
    from .upstreams import Upstream


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `credential` is a digest of what was shown, the key of everything cached for it; `expires_at` is unix time."""

    subject: str
    consumer: str
    kind: str
    credential: bytes
    email: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    expires_at: float = math.inf


class Verdict(Protocol):
    """What one limit says to one request, as the limiter's own verdict does."""

    @property
    def allowed(self) -> bool:
        """Whether the request may pass."""

    @property
    def limit(self) -> int:
        """How many the rule grants."""

    @property
    def remaining(self) -> int:
        """How many are left."""

    @property
    def retry_after_s(self) -> float:
        """Waiting that long succeeds; infinite when no wait helps."""

    @property
    def rule(self) -> str:
        """Name of the rule."""


class Limit(Protocol):
    """One limit of a route."""

    def take_nowait(self, exchange: "EdgeExchange", cost: int = 1) -> Verdict:
        """Charge the request, or say when to come back."""


class Route(Protocol):
    """One compiled route: only the steps that are switched on."""

    @property
    def id(self) -> str:
        """Name in logs, metrics and decisions."""

    @property
    def authenticate(self) -> "Callable[[EdgeExchange], Identity | Awaitable[Identity]] | None":
        """Identity at once when it is cached, else an awaitable. Raises TriviumError."""

    @property
    def authorise(self) -> "Callable[[EdgeExchange, Identity | None], None] | None":
        """Raises TriviumError when this identity may not use the route."""

    @property
    def limits(self) -> Sequence[Limit]:
        """All of them are charged, in order, until one refuses."""

    @property
    def upstream(self) -> "Upstream":
        """Where requests go."""

    @property
    def rewrite(self) -> Callable[[str], str] | None:
        """Path here → path there."""

    @property
    def audience(self) -> str:
        """Who reads the signed identity; empty: none is sent."""

    @property
    def timeouts(self) -> Timeouts:
        """Waits per phase of the upstream call."""

    @property
    def deadline_s(self) -> float:
        """Budget of the whole request."""

    @property
    def max_body_bytes(self) -> int:
        """Longest request body."""

    @property
    def request_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Set on the way up."""

    @property
    def response_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Set on the way down."""

    @property
    def hidden_headers(self) -> frozenset[bytes]:
        """Request headers (lower case) that do not pass."""

    @property
    def hide_limit_headers(self) -> bool:
        """Leave X-RateLimit-* out of answers."""


class RouteTable(Protocol):
    """All routes of one generation of the configuration."""

    @property
    def generation(self) -> int:
        """Number of the configuration."""

    def match(self, method: str, host: str, path: str) -> Route | None:
        """The route for a normalised path, or None. Raises MethodNotAllowed."""


class TableProvider(Protocol):
    """Holds the table in force; a reload replaces it."""

    @property
    def table(self) -> RouteTable:
        """Read once per request."""


class Recorder(Protocol):
    """Told of each request at its end."""

    def record(self, exchange: "EdgeExchange") -> None:
        """Count and log; must not raise."""
