"""One route, compiled: everything a request needs, and nothing that is switched off."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trivium_common.http.limits import Timeouts
from trivium_edge.auth.steps import Authenticate, Authorise
from trivium_edge.limits.limits import Limit
from trivium_edge.proxy.upstreams import Upstream
from trivium_edge.routing.pattern import PathPattern


@dataclass(frozen=True, slots=True)
class Route:
    """What the data path reads of a route (the proxy's `Route` contract), and how a decision tells of it."""

    id: str
    explained: Mapping[str, Any]
    pattern: PathPattern
    hosts: tuple[str, ...]
    methods: frozenset[str]
    authenticate: Authenticate | None
    authorise: Authorise | None
    limits: tuple[Limit, ...]
    upstream: Upstream
    rewrite: Callable[[str], str] | None
    audience: str
    timeouts: Timeouts
    deadline_s: float
    max_body_bytes: int
    request_headers: tuple[tuple[bytes, bytes], ...] = ()
    response_headers: tuple[tuple[bytes, bytes], ...] = ()
    hidden_headers: frozenset[bytes] = frozenset()
    hide_limit_headers: bool = False
