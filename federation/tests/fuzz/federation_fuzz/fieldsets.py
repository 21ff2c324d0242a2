"""Field sets (`key`, `requires`, `provides`) as trees, and reading them from a representation."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import FieldNode, InlineFragmentNode, OperationDefinitionNode, SelectionSetNode, parse


class MissingField(Exception):
    """A representation lacks what the field set names."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One field of a field set, or an inline fragment (`on`) round further ones."""

    name: str | None
    node: FieldNode | None
    on: str | None
    children: tuple["Selection", ...]


@cache
def parse_fieldset(text: str) -> tuple[Selection, ...]:
    """The tree of a field set; braces are optional as in the directives."""
    operation = parse("{" + text + "}").definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return _convert(operation.selection_set)


def _convert(selection_set: SelectionSetNode | None) -> tuple[Selection, ...]:
    found = []
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, FieldNode):
            found.append(Selection(node.name.value, node, None, _convert(node.selection_set)))
        elif isinstance(node, InlineFragmentNode):
            on = node.type_condition.name.value if node.type_condition else None
            found.append(Selection(None, None, on, _convert(node.selection_set)))
    return tuple(found)


def read_given(selections: tuple[Selection, ...], given: Any, subtypes: dict[str, set[str]]) -> Any:
    """The values that a representation gives for a field set.

    Raises: MissingField where one is absent; null is a value.
    """
    if given is None:
        return None
    if isinstance(given, list):
        return [read_given(selections, item, subtypes) for item in given]
    if not isinstance(given, dict):
        raise MissingField(f"an object is wanted, {given!r} given")
    values: dict[str, Any] = {}
    for selection in selections:
        if selection.name is None:
            values |= _read_fragment(selection, given, subtypes)
        elif selection.name == "__typename":
            continue
        elif selection.name not in given:
            raise MissingField(f"{selection.name} is not in the representation")
        elif selection.children:
            values[selection.name] = read_given(selection.children, given[selection.name], subtypes)
        else:
            values[selection.name] = given[selection.name]
    return values


def _read_fragment(
    selection: Selection, given: dict[str, Any], subtypes: dict[str, set[str]]
) -> dict[str, Any]:
    typename = given.get("__typename")
    applies = selection.on is None or typename in subtypes.get(selection.on, {selection.on})
    if typename is not None and not applies:
        return {}
    try:
        values: dict[str, Any] = read_given(selection.children, given, subtypes)
    except MissingField:
        if typename is not None:
            raise
        return {}
    return values
