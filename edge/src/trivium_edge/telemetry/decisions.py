"""Why a request went as it did: the last ones of a worker, refusals always, the rest by sample."""

import math
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from trivium_edge.proxy.contracts import Verdict
from trivium_edge.proxy.exchange import EdgeExchange
from trivium_edge.routing.route import Route
from trivium_edge.telemetry.redaction import redact_query

CLIENT_LEFT = 499
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
    """One decision as JSON types: request, route, identity, checks, limits, target, times, and the outcome."""
    route, identity, error = exchange.route, exchange.identity, exchange.error
    explained = route.explained if isinstance(route, Route) else None
    return {
        "request_id": exchange.request_id,
        "status": exchange.status,
        "outcome": _tell_outcome(exchange),
        "answered_by": exchange.answered_by,
        "request": {
            "method": exchange.method[:32],
            "host": exchange.host[:255],
            "path": exchange.path[:2048],
            "query": redact_query(exchange.query),
            "client_address": exchange.client_address,
        },
        "route": None
        if explained is None
        else {name: explained[name] for name in ("id", "uri", "configured_at", "why")},
        "identity": None
        if identity is None
        else {"subject": identity.subject, "consumer": identity.consumer, "kind": identity.kind},
        "checks": [] if explained is None else _tell_checks(exchange, explained["checks"]),
        "limits": [_tell_verdict(verdict, explained) for verdict in exchange.verdicts],
        "target": _tell_target(exchange),
        "error": None if error is None else {"code": error.code, "detail": error.detail},
        "ms": {
            "total": round((exchange.finished_at - exchange.started_at) * 1000, 3),
            "before_upstream": _span(exchange.started_at, exchange.upstream_started_at),
            "upstream": _span(exchange.upstream_started_at, exchange.upstream_answered_at),
        },
    }


def _tell_outcome(exchange: EdgeExchange) -> str:
    """One sentence for a person."""
    error, route = exchange.error, exchange.route
    if error is None:
        return "the client left" if exchange.status == CLIENT_LEFT else f"answered by {exchange.answered_by}"
    where = f" on the route {route.id}" if route is not None else ""
    return f"refused with {error.status} {error.code}{where}: {error.detail or error.title}"


def _tell_checks(exchange: EdgeExchange, checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each check with its verdict, in order: all before the one that refused have passed, none after it ran."""
    code = exchange.error.code if exchange.error is not None else ""
    is_over = False
    told = []
    for check in checks:
        if is_over or (exchange.identity is None and code not in check["refuses_with"]):
            verdict = "did not run"
        elif code in check["refuses_with"]:
            verdict = "refused"
            is_over = True
        else:
            verdict = "passed"
        shown = {name: check[name] for name in ("step", "check", "configured_at")}
        told.append({**shown, "verdict": verdict})
    return told


def _tell_verdict(verdict: Verdict, explained: Mapping[str, Any] | None) -> dict[str, Any]:
    settings = explained["limits"].get(verdict.rule, {}) if explained is not None else {}
    return {
        "rule": verdict.rule,
        "allowed": verdict.allowed,
        "limit": verdict.limit,
        "remaining": verdict.remaining,
        "retry_after_s": round(verdict.retry_after_s, 3) if math.isfinite(verdict.retry_after_s) else None,
        **settings,
    }


def _tell_target(exchange: EdgeExchange) -> dict[str, Any] | None:
    if exchange.route is None or not (exchange.upstream_node or exchange.breaker_refused):
        return None
    return {
        "upstream": exchange.route.upstream.name,
        "node": exchange.upstream_node or None,
        "breaker": "open: nothing was sent" if exchange.breaker_refused else "let it through",
        "retries": exchange.retries,
    }


def _span(start: float, end: float) -> float | None:
    return round((end - start) * 1000, 3) if start and end else None
