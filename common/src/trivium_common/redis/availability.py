"""Whether a Redis can be relied on right now: one log line for each change, and listeners for metrics."""

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

Listener = Callable[["Availability"], None]


class Availability:
    """Up until a failure is told; up again after `settle_s` without one.

    The settling time keeps a Redis that fails every tenth call from writing a line for every call.
    """

    __slots__ = (
        "_clock",
        "_failed_at",
        "_listeners",
        "_settle_s",
        "changes",
        "failures",
        "is_up",
        "name",
        "reason",
    )

    def __init__(
        self, name: str, *, settle_s: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.is_up = True
        self.reason = ""
        self.failures = 0
        self.changes = 0
        self._settle_s = settle_s
        self._clock = clock
        self._failed_at = 0.0
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener(availability)` at each change."""
        self._listeners.append(listener)

    def failed(self, reason: str) -> None:
        """A call or a connection failed, or was not even tried, for `reason`."""
        self.failures += 1
        self._failed_at = self._clock()
        if self.is_up:
            self.reason = reason
            log.warning("redis is away", extra={"redis": self.name, "reason": reason})
            self._change(is_up=False)

    def succeeded(self) -> None:
        """A call was answered as it should be. Costs nothing while all is well if the caller checks `is_up`."""
        if not self.is_up and self._clock() - self._failed_at >= self._settle_s:
            log.info("redis is back", extra={"redis": self.name, "failures": self.failures})
            self.reason = ""
            self._change(is_up=True)

    def _change(self, *, is_up: bool) -> None:
        self.is_up = is_up
        self.changes += 1
        for listener in self._listeners:
            listener(self)
