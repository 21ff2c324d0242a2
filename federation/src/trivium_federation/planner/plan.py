"""The plan of one operation: requests in sections, each request with the slots that its answer fills."""

from __future__ import annotations

from dataclasses import dataclass, field

from trivium_federation.planner.fetches import Fetch, Output
from trivium_federation.planner.paths import Place
from trivium_federation.supergraph.model import Subgraph


@dataclass(frozen=True, slots=True)
class InputField:
    """A field of a representation: its schema name, its key in the merged data and what to take below it."""

    name: str
    key: str
    is_nullable: bool
    children: InputShape | None


@dataclass(frozen=True, slots=True)
class InputShape:
    """What to copy of a value into a representation; `wants_typename` where the subgraph must know the type."""

    fields: tuple[InputField, ...]
    by_type: dict[str, tuple[InputField, ...]]
    wants_typename: bool


@dataclass(frozen=True, slots=True)
class Representation:
    """How a look-up names its entities: without all of `key` there is no look-up; of `requires`, nulls are sent."""

    type_name: str
    key: InputShape
    requires: InputShape


@dataclass(frozen=True, slots=True)
class Rename:
    """`alias` in the answer is `key` in the merged data: it had to be told apart from a field of another type."""

    alias: str
    key: str


@dataclass(slots=True)
class AnswerShape:
    """Where renames lie in an answer. None of it exists for answers that need no renaming."""

    renames: tuple[Rename, ...]
    children: dict[str, AnswerShape]


@dataclass(slots=True)
class Slot:
    """One list of entities (or one root object) of an answer and all places that it fills."""

    alias: str
    places: list[Place]
    output: Output
    representation: Representation | None
    text: str
    renames: AnswerShape | None
    fetches: list[Fetch]


@dataclass(slots=True, eq=False)
class Request:
    """One HTTP request to one subgraph. `parents` and `children` are indexes of requests of the same section."""

    index: int
    subgraph: Subgraph
    section: int
    level: int
    operation: str
    slots: list[Slot]
    text: str
    variables: tuple[str, ...]
    representation_names: tuple[str, ...] = ()
    parents: tuple[int, ...] = ()
    children: tuple[int, ...] = ()

    @property
    def is_query(self) -> bool:
        """Whether it may be sent twice without harm."""
        return self.operation == "query"

    @property
    def is_root(self) -> bool:
        """Whether this asks for root fields instead of entities."""
        return self.slots[0].representation is None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the request is made, in words for people."""
        found = {r: None for slot in self.slots for fetch in slot.fetches for r in fetch.reasons}
        return tuple(found) or ("root fields",)


@dataclass(slots=True, eq=False)
class FetchPlan:
    """Everything that a run needs. Requests of one section start as soon as their parents are merged."""

    operation: str
    root_type: str
    requests: tuple[Request, ...]
    sections: tuple[tuple[Request, ...], ...]
    not_chosen: tuple[str, ...] = ()
    text_bytes: int = field(default=0)
