"""Where requests go: the nodes of an upstream, whose turn it is, and whose breaker lets a call through."""

import math
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from trivium_common.errors import UpstreamUnavailable
from trivium_common.http import PoolLimits, Timeouts
from trivium_common.http.origin import Origin
from trivium_common.http.pool import ConnectionPool
from trivium_common.resilience.breaker import (
    Breaker,
    BreakerOpen,
    BreakerPolicy,
    BreakerState,
    Outcome,
    Permit,
)

BreakerListener = Callable[[str, str, BreakerState, BreakerState], None]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node as configured."""

    url: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class UpstreamSpec:
    """One upstream as configured. `breaker` None: calls are always let through."""

    name: str
    nodes: tuple[NodeSpec, ...]
    timeouts: Timeouts = field(default_factory=Timeouts)
    breaker: BreakerPolicy | None = field(default_factory=BreakerPolicy)
    pool: PoolLimits = field(default_factory=PoolLimits)


class Node:
    """One node with its connections and its breaker."""

    __slots__ = ("breaker", "current_weight", "host_header", "pool", "url", "weight")

    def __init__(
        self, spec: NodeSpec, pool: ConnectionPool, breaker: Breaker | None, host_header: bytes
    ) -> None:
        self.url = spec.url
        self.weight = spec.weight
        self.pool = pool
        self.breaker = breaker
        self.host_header = host_header
        self.current_weight = 0

    def record(self, permit: Permit | None, outcome: Outcome) -> None:
        """Tell the breaker how a call ended."""
        if self.breaker is not None and permit is not None:
            self.breaker.record(permit, outcome)


class Upstream:
    """One upstream of one generation of the configuration.

    Nodes with the same URL and the same settings as in `previous` keep their connections and breakers.
    """

    def __init__(
        self,
        spec: UpstreamSpec,
        *,
        previous: "Upstream | None" = None,
        tls: ssl.SSLContext | None = None,
        on_breaker_change: BreakerListener | None = None,
    ) -> None:
        if not spec.nodes:
            raise ValueError(f"upstream {spec.name} has no nodes")
        self.spec = spec
        self.name = spec.name
        self._on_breaker_change = on_breaker_change
        self._tls = tls
        kept = (
            {node.url: node for node in previous.nodes}
            if previous is not None and _fits(previous.spec, spec)
            else {}
        )
        self.nodes: tuple[Node, ...] = tuple(self._make_node(node, kept.get(node.url)) for node in spec.nodes)
        self._only = self.nodes[0] if len(self.nodes) == 1 else None

    def pick(self, tried: tuple[Node, ...] = ()) -> tuple[Node, Permit | None]:
        """Return the node whose turn it is, and its breaker's permit, which must be recorded.

        Nodes already `tried` for this request come last. Raises: UpstreamUnavailable with the true wait when
        every breaker is open.
        """
        only = self._only
        if only is not None:
            if only.breaker is None:
                return only, None
            try:
                return only, only.breaker.admit_nowait()
            except BreakerOpen as error:
                raise _unavailable(self.name, error.retry_after_s) from None
        return self._pick_of_many(tried)

    def _pick_of_many(self, tried: tuple[Node, ...]) -> tuple[Node, Permit | None]:
        left = [node for node in self.nodes if node not in tried and node.weight > 0]
        retry_after_s = math.inf
        while left:
            node = _next_by_weight(left)
            if node.breaker is None:
                return node, None
            try:
                return node, node.breaker.admit_nowait()
            except BreakerOpen as error:
                retry_after_s = min(retry_after_s, error.retry_after_s)
                left.remove(node)
        raise _unavailable(self.name, 1.0 if math.isinf(retry_after_s) else retry_after_s)

    async def aclose(self) -> None:
        """Close all connections."""
        for node in self.nodes:
            node.pool.close()

    def snapshot(self) -> dict[str, object]:
        """Return what an operator may ask about the upstream."""
        return {
            "name": self.name,
            "nodes": [
                {
                    "url": node.url,
                    "weight": node.weight,
                    "connections": node.pool.size,
                    "idle": node.pool.idle,
                    "waiting": node.pool.waiting,
                    "breaker": node.breaker.state.value if node.breaker is not None else None,
                    "retry_after_s": node.breaker.retry_after_s if node.breaker is not None else 0.0,
                }
                for node in self.nodes
            ],
        }

    def _make_node(self, spec: NodeSpec, kept: Node | None) -> Node:
        origin = Origin.parse(spec.url)
        if kept is not None:
            return Node(spec, kept.pool, kept.breaker, origin.host_header)
        breaker = None
        if self.spec.breaker is not None:
            breaker = Breaker(f"{self.name} {spec.url}", self.spec.breaker)
            if (listener := self._on_breaker_change) is not None:
                name = self.name
                breaker.listen(lambda _, old, new: listener(name, spec.url, old, new))
        return Node(spec, ConnectionPool(origin, self.spec.pool, self._tls), breaker, origin.host_header)


def _next_by_weight(nodes: list[Node]) -> Node:
    """Smooth weighted round robin: each node gets its share, spread evenly instead of in bursts."""
    total = 0
    best = nodes[0]
    for node in nodes:
        node.current_weight += node.weight
        total += node.weight
        if node.current_weight > best.current_weight:
            best = node
    best.current_weight -= total
    return best


def _fits(old: UpstreamSpec, new: UpstreamSpec) -> bool:
    return old.breaker == new.breaker and old.pool == new.pool


def _unavailable(name: str, retry_after_s: float) -> UpstreamUnavailable:
    return UpstreamUnavailable(f"no node of {name} can be asked", retry_after_s=retry_after_s)
