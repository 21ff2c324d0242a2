"""Every metric of the edge: its name, kind, labels and meaning. Nothing else is ever exported.

Labels are names out of the configuration or of small closed sets, so their number is bounded.
"""

from dataclasses import dataclass
from typing import Literal

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Gauges of workers are summed, or the largest is taken where `is_largest`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    is_largest: bool = False


REQUESTS = Metric(
    "trivium_requests_total",
    "counter",
    ("route", "method", "status", "consumer_kind"),
    "Requests answered, by route, method, status and kind of client.",
)
DURATION = Metric(
    "trivium_request_duration_seconds",
    "histogram",
    ("route",),
    "From the first byte of a request to the last of its answer.",
)
UPSTREAM_DURATION = Metric(
    "trivium_upstream_duration_seconds",
    "histogram",
    ("upstream",),
    "From a call to an upstream to the head of its answer.",
)
RATE_LIMITED = Metric(
    "trivium_rate_limited_total", "counter", ("route", "rule"), "Requests refused by a limit."
)
BREAKER_STATE = Metric(
    "trivium_breaker_state",
    "gauge",
    ("upstream", "node"),
    "0 closed, 1 half-open, 2 open; the worst of the workers.",
    is_largest=True,
)
BREAKER_TRANSITIONS = Metric(
    "trivium_breaker_transitions_total",
    "counter",
    ("upstream", "node", "to"),
    "Changes of a breaker's state.",
)
UPSTREAM_HEALTHY = Metric(
    "trivium_upstream_healthy", "gauge", ("upstream", "node"), "Workers in which the node takes requests."
)
UPSTREAM_CONNECTIONS = Metric(
    "trivium_upstream_connections", "gauge", ("upstream", "node"), "Connections to the node."
)
IN_FLIGHT = Metric("trivium_in_flight", "gauge", (), "Requests in flight.")
CONNECTIONS = Metric("trivium_connections", "gauge", (), "Open connections of clients.")
CLIENTS = Metric(
    "trivium_client_requests_total", "counter", ("client", "version"), "Requests by client name and version."
)
LOG_LINES_DROPPED = Metric(
    "trivium_access_log_dropped_total",
    "counter",
    (),
    "Lines of the access log that could not be written in time.",
)
KEY_FETCHES = Metric(
    "trivium_issuer_key_fetches_total", "counter", ("issuer",), "Fetches of an issuer's keys."
)
ISSUER_READY = Metric(
    "trivium_issuer_ready", "gauge", ("issuer",), "Workers that can verify tokens of the issuer."
)
WORKERS = Metric("trivium_workers", "gauge", (), "Workers that serve.")
WORKER_RESTARTS = Metric(
    "trivium_worker_restarts_total", "counter", (), "Workers started again after they died."
)
CONFIG_GENERATION = Metric("trivium_config_generation", "gauge", (), "Number of the configuration in force.")
RELOAD_FAILURES = Metric(
    "trivium_config_reload_failures_total", "counter", (), "Configurations that were refused at reload."
)

OF_WORKERS = (
    REQUESTS,
    DURATION,
    UPSTREAM_DURATION,
    RATE_LIMITED,
    BREAKER_STATE,
    BREAKER_TRANSITIONS,
    UPSTREAM_HEALTHY,
    UPSTREAM_CONNECTIONS,
    IN_FLIGHT,
    CONNECTIONS,
    CLIENTS,
    LOG_LINES_DROPPED,
    KEY_FETCHES,
    ISSUER_READY,
)
OF_SUPERVISOR = (WORKERS, WORKER_RESTARTS, CONFIG_GENERATION, RELOAD_FAILURES)
