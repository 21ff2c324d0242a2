"""The demo's calendar: everything that is generated lies before one fixed moment."""

import time
from datetime import UTC, datetime

BASE = datetime(2026, 11, 1, tzinfo=UTC)
BASE_S = int(BASE.timestamp())
MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400


def format_time(epoch_s: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, whole seconds: `2026-11-01T00:00:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch_s))


def format_time_ms(epoch_ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339 in UTC; the fraction is written only where there is one."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    text = format_time(seconds)
    return f"{text[:-1]}.{milliseconds:03}Z" if milliseconds else text
