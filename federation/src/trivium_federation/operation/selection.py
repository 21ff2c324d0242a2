"""The normal form of a selection, for the planner: fields merged by name and arguments, conditions and fragments gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TYPENAME = "__typename"


@dataclass(slots=True)
class SelectedField:
    """One field to fetch. `key` is its name in the merged data, the same for equal name and arguments in one plan."""

    name: str
    key: str
    arguments: str = ""
    variables: tuple[str, ...] = ()
    selection: Selection | None = None


@dataclass(slots=True)
class Selection:
    """What is wanted of a value of `type`.

    `fields` hold for every value; for an abstract type, `by_type` adds what only values of one concrete type need.
    """

    type: str
    fields: dict[str, SelectedField] = field(default_factory=dict)
    by_type: dict[str, dict[str, SelectedField]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted but the value itself."""
        return not self.fields and not any(self.by_type.values())


class KeySpace:
    """Hands out the names of fields in the merged data: the field's own, or an alias where arguments differ.

    `own_names`: fields with arguments that may keep their name because they occur with one set of arguments only.
    `taken`: every field name of the supergraph, which an alias must not hit.
    """

    def __init__(self, own_names: Iterable[str] = (), taken: frozenset[str] = frozenset()) -> None:
        self._own_names = frozenset(own_names)
        self._taken = taken
        self._keys: dict[tuple[str, str], str] = {}
        self._aliases = self._fresh_aliases()

    def key(self, name: str, arguments: str) -> str:
        """The key of `name` with `arguments` (their canonical text)."""
        if not arguments or name in self._own_names:
            return name
        known = self._keys.get((name, arguments))
        if known is None:
            known = self._keys[name, arguments] = f"{next(self._aliases)}_{name}"
        return known

    def _fresh_aliases(self) -> Iterator[str]:
        number = 0
        while True:
            prefix = f"_{number}"
            if not any(name.startswith(f"{prefix}_") for name in self._taken):
                yield prefix
            number += 1
