"""The settings that every BFF has; each adds the URLs of its own upstreams."""

from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from trivium_common.resilience.breaker import BreakerPolicy
from trivium_common.settings import CommonSettings


def _check_url(value: str) -> str:
    parts = urlsplit(value)
    is_http = parts.scheme in ("http", "https") and parts.hostname
    is_socket = parts.scheme == "unix" and parts.path.startswith("/")
    if not (is_http or is_socket) or parts.query or parts.fragment or parts.username:
        raise ValueError("expected http://host:port, https://host:port or unix:///path")
    return value


UpstreamUrl = Annotated[str, AfterValidator(_check_url)]


class BffSettings(CommonSettings):
    """TRIVIUM_EDGE_PUBLIC_KEYS, how long a request may take at most, and how long a breaker waits at first.

    `service` names the BFF; it is the audience that an edge identity must have.
    """

    service: ClassVar[str]

    edge_public_keys: str | None = None
    max_request_s: float = Field(default=30.0, gt=0, le=300)
    breaker_base_wait_s: float = Field(default=2.0, gt=0, le=60)

    @property
    def breaker_policy(self) -> BreakerPolicy:
        """The policy for upstreams without one of their own."""
        return BreakerPolicy(base_wait_s=self.breaker_base_wait_s)
