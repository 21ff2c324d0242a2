"""The merged schema: what the supergraph says, each part with the subgraphs that say so. Printing needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from trivium_federation.compose.problems import Place
from trivium_federation.supergraph.model import TypeKind, TypeRef

# Only there because fields without a default cannot follow those of `MergedPart`; every part is made with its type.
_UNKNOWN = TypeRef("", non_null=False)


@dataclass(slots=True)
class TypeRow:
    """One @join__type: a subgraph that has the type, with one of its keys."""

    graph: str
    key: str | None = None
    is_resolvable: bool = True
    is_extension: bool = False
    is_interface_object: bool = False


@dataclass(slots=True)
class FieldRow:
    """One @join__field: a subgraph that has the field (or input field), and how."""

    graph: str | None
    type: str | None = None
    is_external: bool = False
    requires: str | None = None
    provides: str | None = None
    override: str | None = None
    override_label: str | None = None
    is_used_overridden: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the row says only that the subgraph has the field."""
        return self == FieldRow(self.graph)


@dataclass(slots=True)
class MergedPart:
    """What every part has. `directives` are ready to print; `places` are the declarations in the subgraphs."""

    name: str
    description: str | None = None
    directives: list[str] = field(default_factory=list)
    places: tuple[Place, ...] = ()

    @property
    def is_inaccessible(self) -> bool:
        """Whether clients do not see it."""
        return "@inaccessible" in self.directives


@dataclass(slots=True)
class MergedInput(MergedPart):
    """An argument or an input field."""

    type: TypeRef = _UNKNOWN
    default: str | None = None
    rows: list[FieldRow] = field(default_factory=list)

    @property
    def is_required(self) -> bool:
        """Whether a value must be given."""
        return self.type.non_null and self.default is None


@dataclass(slots=True)
class MergedField(MergedPart):
    """A field. `rows` is empty where every subgraph of the type has the field in the same way."""

    type: TypeRef = _UNKNOWN
    arguments: dict[str, MergedInput] = field(default_factory=dict)
    rows: list[FieldRow] = field(default_factory=list)


@dataclass(slots=True)
class MergedValue(MergedPart):
    """A value of an enum, with the subgraphs that have it."""

    graphs: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MergedType(MergedPart):
    """A type of the supergraph. `implements` and `members` are (subgraph, name) pairs."""

    kind: TypeKind = "object"
    rows: list[TypeRow] = field(default_factory=list)
    fields: dict[str, MergedField] = field(default_factory=dict)
    inputs: dict[str, MergedInput] = field(default_factory=dict)
    values: dict[str, MergedValue] = field(default_factory=dict)
    implements: list[tuple[str, str]] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)

    @property
    def graphs(self) -> list[str]:
        """The subgraphs that have the type, each once."""
        return list(dict.fromkeys(row.graph for row in self.rows))

    @property
    def interfaces(self) -> list[str]:
        """The interfaces of the type over all subgraphs, each once."""
        return list(dict.fromkeys(interface for _, interface in self.implements))

    @property
    def union_members(self) -> list[str]:
        """The members of the union over all subgraphs, each once."""
        return list(dict.fromkeys(member for _, member in self.members))


@dataclass(slots=True)
class MergedSchema:
    """Everything. `graphs` are (id, name, url); `specs` the Apollo specs in use; `links` further @link lines."""

    graphs: list[tuple[str, str, str]]
    types: dict[str, MergedType] = field(default_factory=dict)
    directive_definitions: list[str] = field(default_factory=list)
    specs: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    schema_directives: list[str] = field(default_factory=list)
    description: str | None = None
    roots: dict[str, str] = field(default_factory=dict)
    has_labels: bool = False
