"""What the engine needs of the world outside: a way to send one GraphQL request to one subgraph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from trivium_federation.errors import FederationError


class TransportError(FederationError):
    """Nothing usable came from a subgraph. The message is shown to clients: it must name no internals."""


class SubgraphRequest(msgspec.Struct, frozen=True):
    """One request. `body` is JSON, `deadline` a monotonic time in seconds that the call must not outlive.

    `is_query`: it changes nothing, so it may be sent again if the first attempt never reached the subgraph's code.
    """

    subgraph: str
    url: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    deadline: float | None = None
    is_query: bool = False


class SubgraphResponse(msgspec.Struct, frozen=True):
    """What came back, unread."""

    status: int
    body: bytes
    content_type: str | None = None


class Transport(Protocol):
    """Sends requests; calls may overlap."""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """Send and wait for the whole answer, no longer than the request's deadline.

        Raises: TransportError. Safe to cancel.
        """
        ...


class RequestContext(msgspec.Struct, frozen=True):
    """What belongs to one client request: headers for subgraphs, its deadline, and override labels that are on."""

    headers: tuple[tuple[bytes, bytes], ...] = ()
    deadline: float | None = None
    request_id: str = ""
    overrides: frozenset[str] = frozenset()
    extensions: Mapping[str, object] = msgspec.field(default_factory=dict)


class NoTransport:
    """For engines that only plan."""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """Always fails."""
        raise TransportError(f"is not asked: there is no transport to {request.url}")
