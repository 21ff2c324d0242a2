"""The normal form of a selection, for the planner: fields merged by name and arguments, conditions and fragments gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    """Hands out the names of fields in the merged data: equal name and arguments have one key in a plan.

    `known`: keys that are decided, by name and arguments text. Other fields without arguments have their own name, those
    with arguments an alias. `taken`: every field name of the supergraph, which an alias must not hit.
    """

    def __init__(
        self, known: Mapping[tuple[str, str], str] | None = None, taken: frozenset[str] = frozenset()
    ) -> None:
        self._taken = taken
        self._keys: dict[tuple[str, str], str] = dict(known or {})
        self._aliases = self._fresh_aliases()

    def key(self, name: str, arguments: str) -> str:
        """The key of `name` with `arguments` (their canonical text)."""
        known = self._keys.get((name, arguments))
        if known is not None:
            return known
        if not arguments:
            return name
        known = self._keys[name, arguments] = f"{next(self._aliases)}_{name}"
        return known

    def _fresh_aliases(self) -> Iterator[str]:
        number = 0
        while True:
            prefix = f"_{number}"
            if not any(name.startswith(f"{prefix}_") for name in self._taken):
                yield prefix
            number += 1
