"""Every bound of the HTTP engine with its default. Seconds are floats, sizes are bytes."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Longest wait of one call per phase; all of them end at the call's deadline as well.

    `connect_s` covers name lookup, connection and TLS; `send_s` and `read_s` are the longest time without
    progress, not the time for the whole body.
    """

    connect_s: float = 3.0
    send_s: float = 10.0
    read_s: float = 30.0


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of the connections to one origin."""

    max_connections: int = 256
    max_idle: int = 128
    max_requests_per_connection: int = 1000
    max_waiting: int = 1024
    wait_s: float = 5.0
    idle_s: float = 60.0
    max_header_bytes: int = 64 * KIB


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of what a client may send and how slowly."""

    max_connections: int = 20_000
    max_header_bytes: int = 64 * KIB
    max_header_count: int = 100
    max_url_bytes: int = 8 * KIB
    max_body_bytes: int = 2 * MIB
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    write_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    linger_s: float = 2.0


# Bytes held in memory for one body in one direction before the sender is asked to wait.
BODY_WINDOW_BYTES = 128 * KIB
