"""What composition has to say: errors and hints with a public code, the places they are about, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from trivium_federation.compose.advice import ADVICE

Severity = Literal["error", "hint"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which subgraph's schema. `line` and `column` start at 1; 0 means that only the subgraph is known."""

    subgraph: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        name = self.file or self.subgraph
        return f"{name}:{self.line}:{self.column}" if self.line else name


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `code` is the public composition code that other tools use for the same thing."""

    severity: Severity
    code: str
    message: str
    places: tuple[Place, ...] = ()

    @property
    def advice(self) -> str:
        """What the owner of the schema can do."""
        return ADVICE.get(self.code, "")

    @property
    def subgraphs(self) -> tuple[str, ...]:
        """The subgraphs concerned, each once."""
        return tuple(dict.fromkeys(place.subgraph for place in self.places))

    def __str__(self) -> str:
        head, *others = self.places or (None,)
        lines = [f"{head}: {self.code}: {self.message}" if head else f"{self.code}: {self.message}"]
        lines += [f"    see also {place}" for place in others]
        if self.advice:
            lines.append(f"    to do: {self.advice}")
        return "\n".join(lines)


@dataclass(slots=True)
class Problems:
    """Collects problems, so that all of them can be told at once. Equal ones are told once."""

    _found: dict[Problem, None] = field(default_factory=dict)

    def error(self, code: str, message: str, *places: Place) -> None:
        """Add an error: there will be no supergraph."""
        self._found[Problem("error", code, message, places)] = None

    def hint(self, code: str, message: str, *places: Place) -> None:
        """Add a hint: the supergraph is right, but somebody may want to know."""
        self._found[Problem("hint", code, message, places)] = None

    def add(self, problems: Iterable[Problem]) -> None:
        """Add problems that were found elsewhere."""
        self._found.update(dict.fromkeys(problems))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """All errors, in the order they were found."""
        return tuple(p for p in self._found if p.severity == "error")

    @property
    def hints(self) -> tuple[Problem, ...]:
        """All hints, in the order they were found."""
        return tuple(p for p in self._found if p.severity == "hint")

    @property
    def all(self) -> tuple[Problem, ...]:
        """Everything that was found."""
        return tuple(self._found)
