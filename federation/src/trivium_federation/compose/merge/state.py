"""What all merging steps share: the sources, what is known of them, and the problems found so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from trivium_federation.compose.facts import Facts
from trivium_federation.compose.merge.overrides import Overrides
from trivium_federation.compose.problems import Place, Problems
from trivium_federation.compose.source import Source, SourceType


@dataclass(slots=True)
class Declared:
    """A type as one subgraph declares it."""

    position: int
    source: Source
    facts: Facts
    type: SourceType


@dataclass(slots=True)
class Merging:
    """The state of one merge. `input_types` and `output_types` collect how enums are used."""

    sources: Sequence[Source]
    facts: Sequence[Facts]
    overrides: Overrides
    problems: Problems
    declared: dict[str, list[Declared]] = field(default_factory=dict)
    supertypes: dict[str, set[str]] = field(default_factory=dict)
    input_types: set[str] = field(default_factory=set)
    output_types: set[str] = field(default_factory=set)
    specs: set[str] = field(default_factory=set)
    composed: dict[str, bool] = field(default_factory=dict)

    def gather(self) -> None:
        """Find who declares what, and which types are subtypes of which."""
        for position, (source, facts) in enumerate(zip(self.sources, self.facts, strict=True)):
            for info in source.types.values():
                self.declared.setdefault(info.name, []).append(Declared(position, source, facts, info))
                for interface in info.interfaces:
                    self.supertypes.setdefault(info.name, set()).add(interface)
                for member in info.members:
                    self.supertypes.setdefault(member, set()).add(info.name)

    def is_subtype(self, name: str, of: str) -> bool:
        """Whether every value of type `name` is one of type `of`."""
        return name == of or of in self.supertypes.get(name, ())


def describe(parts: Iterable[tuple[str, object]]) -> str:
    """`Int in a and b, String in c`: what differs between subgraphs."""
    groups: dict[str, list[str]] = {}
    for name, what in parts:
        groups.setdefault(str(what), []).append(name)
    return ", ".join(f"{what} in {listed(names)}" for what, names in groups.items())


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else ""


def places_of(parts: Iterable[tuple[Source, object]]) -> tuple[Place, ...]:
    """The places of the declarations."""
    return tuple(source.place(getattr(part, "node", None)) for source, part in parts)


def most_common(texts: Iterable[str | None]) -> str | None:
    """The text that most subgraphs use; of several the first."""
    found = [text for text in texts if text]
    return max(found, key=found.count) if found else None
