"""The normal form of a selection, for the planner: fields merged by name and arguments, conditions and fragments gone."""

from __future__ import annotations

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


def add_field(fields: dict[str, SelectedField], field: SelectedField) -> None:
    """Add a field to `fields`, merging selections where the key is taken."""
    before = fields.get(field.key)
    if before is None or before.selection is None or field.selection is None:
        fields.setdefault(field.key, field)
        return
    merged = merge_selections(before.selection, field.selection)
    fields[field.key] = SelectedField(field.name, field.key, field.arguments, field.variables, merged)


def merge_selections(one: Selection, other: Selection) -> Selection:
    """Everything that either selection wants. Neither is changed."""
    if one is other:
        return one
    merged = Selection(one.type, dict(one.fields), {t: dict(fs) for t, fs in one.by_type.items()})
    for wanted in other.fields.values():
        add_field(merged.fields, wanted)
    for concrete, fields in other.by_type.items():
        target = merged.by_type.setdefault(concrete, {})
        for wanted in fields.values():
            add_field(target, wanted)
    return merged


class KeySpace:
    """Decides under which key the value of a field lies in the merged data of one plan.

    That is the client's response key, so that answers need no renaming and one field that is asked for twice is fetched
    twice, as in one plain schema. But a name that field sets use means the plain field of that name, never another.
    """

    def __init__(self, fieldset_names: frozenset[str] = frozenset()) -> None:
        self._fieldset_names = fieldset_names
        self._aliases: dict[tuple[str, str, str], str] = {}

    def key(self, name: str, arguments: str, response_key: str) -> str:
        """The key of `name` with `arguments` (their canonical text), shown as `response_key`."""
        is_plain = response_key == name and not arguments
        if is_plain or (response_key not in self._fieldset_names and not response_key.startswith("_")):
            return response_key
        number = len(self._aliases)
        return self._aliases.setdefault((name, arguments, response_key), f"_{number}_{name}")
