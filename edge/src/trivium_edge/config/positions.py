"""Where a value of the configuration stands, and the tree that keeps this for every value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; line and column count from 1, as editors do."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Interpolated(str):
    """A text that came out of `${...}`: typed by the setting it fills, never shown in a message."""

    __slots__ = ()


Scalar = None | bool | int | float | str
PathPart = str | int


@dataclass(frozen=True, slots=True)
class Node:
    """One value with its place. `references` names the `${...}` it was made from."""

    value: "Scalar | dict[str, Node] | list[Node]"
    at: Position
    key_at: Position | None = None
    references: tuple[str, ...] = ()

    def plain(self) -> object:
        """The value without places: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def child(self, part: PathPart) -> "Node | None":
        """The value under a key or index; None where there is none.

        Index 0 of something that is no list is the thing itself: a list of one may be written without its dash.
        """
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(part, int):
            if isinstance(self.value, list):
                return self.value[part] if part < len(self.value) else None
            return self if part == 0 else None
        return None

    def nearest(self, path: Sequence[PathPart]) -> "Node":
        """The value at `path`, or the last one on the way to it that exists."""
        node = self
        for part in path:
            below = node.child(part)
            if below is None:
                break
            node = below
        return node

    def entries(self, key: str) -> "Iterator[tuple[PathPart, Node]]":
        """What stands in the list or mapping under `key`; nothing where it is absent or of another shape."""
        below = self.child(key)
        if below is None:
            return
        if isinstance(below.value, dict):
            yield from below.value.items()
        elif isinstance(below.value, list):
            yield from enumerate(below.value)

    def text(self, key: str) -> str | None:
        """The text under `key`; None where it is absent or no text."""
        below = self.child(key)
        return below.value if below is not None and isinstance(below.value, str) else None


class Severity(StrEnum):
    """An error refuses the configuration; a warning does so under --strict."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong: where, under which setting, what was found and what was expected."""

    at: Position
    setting: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        where = f"{self.setting}: " if self.setting else ""
        mark = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.at}: {mark}{where}{self.message}"


def spell_path(path: Sequence[PathPart]) -> str:
    """A path as people write it: `routes[2].filters.limit`."""
    spelled = ""
    for part in path:
        spelled += f"[{part}]" if isinstance(part, int) else f".{part}" if spelled else part
    return spelled


class ConfigInvalid(Exception):
    """The configuration cannot be used; `faults` are all of them, in the order of the files."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))
