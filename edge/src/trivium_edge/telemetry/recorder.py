"""The last step of every request: count it, log it, keep why it went as it did. Synchronous, and never raises."""

import logging
import time
from collections import defaultdict
from typing import Any

import orjson

from trivium_edge.proxy.exchange import EdgeExchange
from trivium_edge.telemetry.access_log import AccessLog
from trivium_edge.telemetry.catalogue import (
    BREAKER_TRANSITIONS,
    CLIENTS,
    DURATION,
    LOG_LINES_DROPPED,
    RATE_LIMITED,
    REQUESTS,
    UPSTREAM_DURATION,
)
from trivium_edge.telemetry.clients import ClientNames
from trivium_edge.telemetry.decisions import Decisions
from trivium_edge.telemetry.redaction import MAX_LOGGED_PATH_CHARS, redact_query
from trivium_edge.telemetry.samples import Samples, new_histogram, observe

log = logging.getLogger(__name__)

NO_ROUTE = "none"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Recorder:
    """Counts and logs the requests of one worker."""

    def __init__(
        self, access_log: AccessLog | None, decisions: Decisions, *, worker: int, is_text: bool = False
    ) -> None:
        self._access_log = access_log
        self._decisions = decisions
        self._worker = worker
        self._render = _render_text if is_text else orjson.dumps
        self._clients = ClientNames()
        self._requests: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        self._durations: defaultdict[str, list[float]] = defaultdict(new_histogram)
        self._upstream_durations: defaultdict[str, list[float]] = defaultdict(new_histogram)
        self._rate_limited: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._transitions: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._by_client: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._second = 0
        self._second_text = ""

    def record(self, exchange: EdgeExchange) -> None:
        """Take the request that has just ended."""
        try:
            client = self._count(exchange)
            self._decisions.keep(exchange)
            if self._access_log is not None:
                self._access_log.write_nowait(self._render(self._describe(exchange, client)))
        except Exception:
            log.exception("a request could not be recorded")

    def count_transition(self, upstream: str, node: str, to: str) -> None:
        """Count a change of a breaker's state."""
        self._transitions[(upstream, node, to)] += 1

    def samples(self) -> Samples:
        """What was counted so far."""
        samples = Samples()
        for requests, count in self._requests.items():
            samples.set(REQUESTS, requests, count)
        for route, histogram in self._durations.items():
            samples.set(DURATION, (route,), list(histogram))
        for upstream, histogram in self._upstream_durations.items():
            samples.set(UPSTREAM_DURATION, (upstream,), list(histogram))
        for limited, count in self._rate_limited.items():
            samples.set(RATE_LIMITED, limited, count)
        for transition, count in self._transitions.items():
            samples.set(BREAKER_TRANSITIONS, transition, count)
        for client, count in self._by_client.items():
            samples.set(CLIENTS, client, count)
        samples.set(LOG_LINES_DROPPED, (), self._access_log.dropped if self._access_log else 0)
        return samples

    def _count(self, exchange: EdgeExchange) -> tuple[str, str] | None:
        route = exchange.route
        name = route.id if route is not None else NO_ROUTE
        method = exchange.method if exchange.method in _METHODS else "other"
        identity = exchange.identity
        kind = identity.kind if identity is not None else "none"
        self._requests[(name, method, str(exchange.status), kind)] += 1
        observe(self._durations[name], exchange.finished_at - exchange.started_at)
        if exchange.upstream_answered_at and route is not None:
            took_s = exchange.upstream_answered_at - exchange.upstream_started_at
            observe(self._upstream_durations[route.upstream.name], took_s)
        for verdict in exchange.verdicts:
            if not verdict.allowed:
                self._rate_limited[(name, verdict.rule)] += 1
        client = self._clients.read(exchange.fields, kind)
        if client is not None:
            self._by_client[client] += 1
        return client

    def _describe(self, exchange: EdgeExchange, client: tuple[str, str] | None) -> dict[str, Any]:
        fields = exchange.fields
        line: dict[str, Any] = {
            "time": self._now(),
            "level": "info",
            "service": "edge",
            "logger": "access",
            "worker": self._worker,
            "request_id": exchange.request_id,
            "client_address": exchange.client_address,
            "method": exchange.method[:32],
            "host": exchange.host[:255],
            "path": exchange.path[:MAX_LOGGED_PATH_CHARS],
            "status": exchange.status,
            "duration_ms": round((exchange.finished_at - exchange.started_at) * 1000, 2),
            "bytes_in": exchange.bytes_in,
            "bytes_out": exchange.bytes_out,
            "answered_by": exchange.answered_by,
        }
        if exchange.query:
            line["query"] = redact_query(exchange.query)
        if exchange.route is not None:
            line["route"] = exchange.route.id
        if exchange.identity is not None:
            line["consumer"] = exchange.identity.consumer
            line["subject"] = exchange.identity.subject
        if exchange.error is not None:
            line["code"] = exchange.error.code
        if exchange.upstream_node:
            line["upstream"] = exchange.upstream_node
            if exchange.upstream_answered_at:
                took_s = exchange.upstream_answered_at - exchange.upstream_started_at
                line["upstream_ms"] = round(took_s * 1000, 2)
        if exchange.retries:
            line["retries"] = exchange.retries
        if client is not None:
            line["client"], line["client_version"] = client
        user_agent = fields.get(b"user-agent")
        if user_agent is not None:
            line["user_agent"] = user_agent[:256].decode("latin-1")
        return line

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return f"{self._second_text}{int((now - second) * 1000):03d}+00:00"


def _render_text(line: dict[str, Any]) -> bytes:
    """The line for a terminal. JSON's escapes keep control characters of a request from reaching it."""
    shown = orjson.dumps(f"{line['path']}{'?' if 'query' in line else ''}{line.get('query', '')}").decode()[
        1:-1
    ]
    at = line["time"][11:23]
    who = line.get("consumer", "-")
    why = f" {line['code']}" if "code" in line else ""
    method = orjson.dumps(line["method"]).decode()[1:-1]
    text = f"{at} {line['status']} {line['duration_ms']:>8.1f} ms {method:<6} {shown} {who}{why} {line['request_id']}"
    return text.encode(errors="replace")
