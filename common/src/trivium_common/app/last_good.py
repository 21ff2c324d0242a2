"""`LastGood`: the latest good value of each key, for screens that rather show an old value than none.

In memory of one process, bounded in number and age. It is no cache: a value is used only when the call failed.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class LastGood(Generic[T]):
    """At most `max_entries` values, the longest unrefreshed leave first; none older than `max_age_s` is shown."""

    def __init__(
        self,
        *,
        max_entries: int = 2000,
        max_age_s: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_age_s = max_age_s
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def put(self, key: str, value: T) -> None:
        """Remember `value` as the latest of `key`."""
        self._kept[key] = (self._clock(), value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._max_entries:
            self._kept.popitem(last=False)

    def find(self, key: str, otherwise: T) -> T:
        """The latest value of `key`, or `otherwise` where there is none young enough."""
        kept = self._kept.get(key)
        if kept is None:
            return otherwise
        at, value = kept
        return value if self._clock() - at <= self._max_age_s else otherwise
