"""Builds the representations that name entities to a subgraph, each only once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import orjson

from trivium_federation.execute.merge import Object
from trivium_federation.operation.selection import TYPENAME
from trivium_federation.planner.plan import InputField, InputShape, Representation

_ABSENT = object()


class Batch:
    """The distinct representations of a slot, as JSON texts, and for each the objects that its entity fills."""

    def __init__(self) -> None:
        self.targets: dict[bytes, list[Object]] = {}

    def add(self, representation: Representation, targets: Iterable[Object]) -> None:
        """Take in the objects at one place; those without a whole key are left out."""
        for target in targets:
            built = build_representation(representation, target)
            if built is not None:
                self.targets.setdefault(orjson.dumps(built), []).append(target)

    def json(self) -> bytes:
        """The list of representations."""
        return b"[" + b",".join(self.targets) + b"]"


def build_representation(representation: Representation, target: Object) -> Object | None:
    """The representation of one object, or None if its key is not known."""
    built: Object = {TYPENAME: representation.type_name}
    has_value = False
    for field in _fields(representation.key, target):
        value = _input(field, target, _ABSENT)
        if value is _ABSENT or (value is None and not field.is_nullable):
            return None
        has_value = has_value or value is not None
        built[field.name] = value
    if not has_value:
        return None
    for field in _fields(representation.requires, target):
        _put(built, field.name, _input(field, target, None))
    return built


def _fields(shape: InputShape, target: Object) -> Iterable[InputField]:
    if not shape.by_type:
        return shape.fields
    return (*shape.fields, *shape.by_type.get(cast(str, target.get(TYPENAME)), ()))


def _input(field: InputField, target: Object, absent: object) -> object:
    """The value to send; `absent` stands for what is not known: null where a subgraph only requires it."""
    value = target.get(field.key, absent)
    return value if field.children is None else _nested(field.children, value, absent)


def _nested(shape: InputShape, value: object, absent: object) -> object:
    """Copy what the shape asks for. An object that lacks a part of a key is absent itself."""
    if isinstance(value, list):
        items = [_nested(shape, v, absent) for v in value]
        return _ABSENT if any(i is _ABSENT for i in items) else items
    if not isinstance(value, dict):
        return value
    built: Object = {}
    if shape.wants_typename and TYPENAME in value:
        built[TYPENAME] = value[TYPENAME]
    for field in _fields(shape, value):
        nested = _input(field, value, absent)
        if nested is _ABSENT:
            return _ABSENT
        _put(built, field.name, nested)
    return built


def _put(built: Object, name: str, value: object) -> None:
    """Set a field; an object that is there already, from another field set, is completed."""
    known = built.get(name)
    if isinstance(known, dict) and isinstance(value, dict):
        for key, entry in value.items():
            _put(known, key, entry)
    elif isinstance(known, list) and isinstance(value, list) and len(known) == len(value):
        for index, entry in enumerate(value):
            if isinstance(known[index], dict) and isinstance(entry, dict):
                for key, nested in entry.items():
                    _put(known[index], key, nested)
    else:
        built[name] = value
