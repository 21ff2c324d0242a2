"""Why a request went as it did: the last ones of a worker, refusals always, the rest by sample."""

from collections import OrderedDict
from typing import Any

from trivium_edge.proxy.exchange import EdgeExchange
from trivium_edge.telemetry.redaction import redact_query

MAX_KEPT = 2000
SAMPLE_EVERY = 10


class Decisions:
    """The last MAX_KEPT decisions by request id. Refused and failed requests are always kept."""

    def __init__(self, *, max_kept: int = MAX_KEPT, sample_every: int = SAMPLE_EVERY) -> None:
        self._max_kept = max_kept
        self._sample_every = sample_every
        self._seen = 0
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def keep(self, exchange: EdgeExchange) -> None:
        """Keep what was decided about a request that has ended."""
        self._seen += 1
        if exchange.status < 400 and self._seen % self._sample_every:
            return
        self._kept[exchange.request_id] = describe(exchange)
        if len(self._kept) > self._max_kept:
            self._kept.popitem(last=False)

    def find(self, request_id: str) -> dict[str, Any] | None:
        """What was decided about a request; None when it was not kept here."""
        return self._kept.get(request_id)

    def recent(self, count: int) -> list[dict[str, Any]]:
        """The latest decisions, newest first."""
        newest = list(self._kept.values())[-count:]
        return newest[::-1]


def describe(exchange: EdgeExchange) -> dict[str, Any]:
    """One decision as JSON types: request, route, identity, limits, target, times, and the outcome."""
    route, identity, error = exchange.route, exchange.identity, exchange.error
    decision: dict[str, Any] = {
        "request_id": exchange.request_id,
        "status": exchange.status,
        "answered_by": exchange.answered_by,
        "request": {
            "method": exchange.method[:32],
            "host": exchange.host[:255],
            "path": exchange.path[:2048],
            "query": redact_query(exchange.query),
            "client_address": exchange.client_address,
        },
        "route": None,
        "identity": None,
        "limits": [
            {
                "rule": verdict.rule,
                "allowed": verdict.allowed,
                "limit": verdict.limit,
                "remaining": verdict.remaining,
                "retry_after_s": round(verdict.retry_after_s, 3),
            }
            for verdict in exchange.verdicts
        ],
        "target": None,
        "retries": exchange.retries,
        "breaker_refused": exchange.breaker_refused,
        "error": None,
        "duration_ms": round((exchange.finished_at - exchange.started_at) * 1000, 3),
    }
    if route is not None:
        decision["route"] = {
            "id": route.id,
            "configured_at": getattr(route, "place", ""),
            "uri": getattr(route, "uri", ""),
        }
    if identity is not None:
        decision["identity"] = {
            "subject": identity.subject,
            "consumer": identity.consumer,
            "kind": identity.kind,
        }
    if exchange.upstream_node and route is not None:
        answered, started = exchange.upstream_answered_at, exchange.upstream_started_at
        decision["target"] = {
            "upstream": route.upstream.name,
            "node": exchange.upstream_node,
            "answer_ms": round((answered - started) * 1000, 3) if answered else None,
        }
    if error is not None:
        decision["error"] = {"code": error.code, "detail": error.detail}
    return decision
