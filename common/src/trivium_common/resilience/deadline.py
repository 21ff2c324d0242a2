"""The one deadline of a request, set where it enters and carried along.

Callees may shorten it, never extend it (HTTP has no standard header; ours is X-Request-Timeout-Ms).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_TIMEOUT_HEADER = b"x-request-timeout-ms"

_deadline: ContextVar[float | None] = ContextVar("trivium_deadline", default=None)


def current_deadline() -> float | None:
    """When the request at hand must be answered, in `time.monotonic()` seconds; None outside of one."""
    return _deadline.get()


def remaining_s(clock: Callable[[], float] = time.monotonic) -> float | None:
    """Seconds left, 0.0 when the deadline has passed, None when there is none."""
    deadline = _deadline.get()
    return None if deadline is None else max(0.0, deadline - clock())


@contextmanager
def deadline_scope(timeout_s: float, clock: Callable[[], float] = time.monotonic) -> Iterator[float]:
    """Within the block the deadline is at most `timeout_s` away; yields it (monotonic seconds)."""
    deadline = clock() + timeout_s
    outer = _deadline.get()
    if outer is not None and outer < deadline:
        deadline = outer
    token = _deadline.set(deadline)
    try:
        yield deadline
    finally:
        _deadline.reset(token)


def parse_timeout_ms(value: bytes, cap_s: float) -> float:
    """Seconds from an X-Request-Timeout-Ms value, at most `cap_s`; a value that is no number means the cap."""
    if not value.isdigit() or len(value) > 9:
        return cap_s
    return min(int(value) / 1000, cap_s)
