"""Finds places in the merged data and merges subgraph answers into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trivium_federation.operation.selection import TYPENAME
from trivium_federation.planner.paths import Place
from trivium_federation.planner.plan import AnswerShape

Object = dict[str, object]
DataPath = tuple[str | int, ...]
# Only custom scalars nest deeper than operations do; they are taken whole.
_MAX_DEPTH = 200


def find_targets(root: Object, place: Place) -> list[Object]:
    """All objects at a place, in the order of the data."""
    level: list[Object] = [root]
    for step in place.steps():
        if step.narrowed_to:
            level = [target for target in level if target.get(TYPENAME) == step.narrowed_to]
            continue
        found: list[Object] = []
        for target in level:
            value = target.get(step.key)
            if isinstance(value, dict):
                found.append(value)
            elif isinstance(value, list):
                _flatten(value, found)
        level = found
    return level


def find_paths(root: Object, place: Place) -> Iterator[tuple[Object, DataPath]]:
    """The same objects with their paths, for error messages."""

    def below(value: object, path: DataPath) -> Iterator[tuple[Object, DataPath]]:
        if isinstance(value, dict):
            yield value, path
        elif isinstance(value, list):
            for index, entry in enumerate(value):
                yield from below(entry, (*path, index))

    def walk(target: Object, path: DataPath, steps: Sequence[Place]) -> Iterator[tuple[Object, DataPath]]:
        if not steps:
            yield target, path
        elif steps[0].narrowed_to:
            if target.get(TYPENAME) == steps[0].narrowed_to:
                yield from walk(target, path, steps[1:])
        else:
            for child, child_path in below(target.get(steps[0].key), (*path, steps[0].key)):
                yield from walk(child, child_path, steps[1:])

    return walk(root, (), place.steps())


def merge_object(target: Object, addition: Object, *, is_shared: bool = False, depth: int = 0) -> None:
    """Merge `addition` into `target`: known values are kept unless they are null.

    `is_shared`: `addition` also goes elsewhere, so what is taken over is copied.
    """
    for key, value in addition.items():
        known = target.get(key)
        if known is None:
            target[key] = copy_value(value, 0) if is_shared else value
        elif depth < _MAX_DEPTH:
            _merge_values(known, value, is_shared=is_shared, depth=depth + 1)


def _merge_values(known: object, value: object, *, is_shared: bool, depth: int) -> None:
    if isinstance(known, dict) and isinstance(value, dict):
        merge_object(known, value, is_shared=is_shared, depth=depth)
    elif isinstance(known, list) and isinstance(value, list) and len(known) == len(value):
        # Lists of one field from two subgraphs are the same list, position by position.
        for index, entry in enumerate(value):
            if known[index] is None:
                known[index] = copy_value(entry, 0) if is_shared else entry
            else:
                _merge_values(known[index], entry, is_shared=is_shared, depth=depth + 1)


def copy_value(value: object, depth: int) -> object:
    """A copy of nested objects and lists."""
    if depth < _MAX_DEPTH:
        if isinstance(value, dict):
            return {k: copy_value(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list):
            return [copy_value(v, depth + 1) for v in value]
    return value


def rename_keys(value: object, shape: AnswerShape) -> None:
    """Give fields that had to be asked for under another name their own name back."""
    if isinstance(value, list):
        for entry in value:
            rename_keys(entry, shape)
    elif isinstance(value, dict):
        for rename in shape.renames:
            if rename.alias in value:
                value[rename.key] = value.pop(rename.alias)
        for key, child in shape.children.items():
            if key in value:
                rename_keys(value[key], child)


def original_path(path: Sequence[str | int], shape: AnswerShape | None) -> list[str | int]:
    """A path of an answer with the fields' own names."""
    found: list[str | int] = []
    for step in path:
        if isinstance(step, str) and shape is not None:
            key = next((r.key for r in shape.renames if r.alias == step), step)
            shape = shape.children.get(key)
            found.append(key)
        else:
            found.append(step)
    return found


def _flatten(values: list[object], found: list[Object]) -> None:
    for value in values:
        if isinstance(value, dict):
            found.append(value)
        elif isinstance(value, list):
            _flatten(value, found)
