"""The bulkhead: at most so many calls to one upstream at a time, so that a slow one cannot take every slot.

It never queues: waiting behind a slow upstream only moves the collapse to the caller.
"""

from types import TracebackType


class BulkheadFull(Exception):
    """The call was not made: as many as may be are already on their way."""

    def __init__(self, name: str, max_in_flight: int) -> None:
        super().__init__(f"{max_in_flight} calls to {name} are already on their way")
        self.name = name


class Bulkhead:
    """One upstream's slots in one process: `with bulkhead: await call()`."""

    __slots__ = ("_in_flight", "max_in_flight", "name")

    def __init__(self, name: str, max_in_flight: int) -> None:
        if max_in_flight < 1:
            raise ValueError("max_in_flight must be at least 1")
        self.name = name
        self.max_in_flight = max_in_flight
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Calls on their way now."""
        return self._in_flight

    def __enter__(self) -> None:
        """Take a slot.

        Raises: BulkheadFull, at once, when none is free.
        """
        if self._in_flight >= self.max_in_flight:
            raise BulkheadFull(self.name, self.max_in_flight)
        self._in_flight += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._in_flight -= 1
