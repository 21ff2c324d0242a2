"""A cache bounded by entries and by bytes; the entry unused for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

V = TypeVar("V")


class PlanCache(Generic[V]):
    """Least recently used. Sizes are estimates given by the caller."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self.bytes = 0
        self._entries: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> V | None:
        """The value, now the most recently used, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: V, size_bytes: int) -> None:
        """Keep a value and drop old ones until the bounds hold; a value over the bound by itself is not kept."""
        self.drop(key)
        if size_bytes > self._max_bytes or self._max_entries < 1:
            return
        self._entries[key] = value, size_bytes
        self.bytes += size_bytes
        self._shrink()

    def resize(self, key: Hashable, size_bytes: int) -> None:
        """Note that a value has grown or shrunk; it may now be too large to keep."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = entry[0], size_bytes
            self.bytes += size_bytes - entry[1]
            self._shrink()

    def drop(self, key: Hashable) -> None:
        """Forget a key, if it is known."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry[1]

    def _shrink(self) -> None:
        while len(self._entries) > self._max_entries or self.bytes > self._max_bytes:
            _, (_, size) = self._entries.popitem(last=False)
            self.bytes -= size

    def newest(self) -> Iterator[Hashable]:
        """The keys, most recently used first."""
        return iter(reversed(self._entries))
