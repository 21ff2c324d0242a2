"""`?fields=id,price.amount`: which members of an answer to send, checked against the answer's Struct.

Paths start at the top of the answer and go through lists. Members that say how to read an answer
(`next_cursor`, `_missing`, `_fallback`) are always sent.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import inspect

from trivium_common.errors import BadRequest

MAX_LENGTH = 1000
MAX_FIELDS = 50
ALWAYS_SENT = frozenset({"next_cursor", "_missing", "_fallback"})

# A member → what is selected below it; an empty mapping selects all of it.
Selection = Mapping[str, "Selection"]


class _Tree(dict[str, "_Tree"]):
    """A selection while it is built, and the members that a type has."""


def parse_fields(text: str, answer: type) -> Selection:
    """The selection that `text` asks of `answer` (a Struct).

    Raises: BadRequest, for a name that `answer` does not have and for texts over the bounds.
    """
    if len(text) > MAX_LENGTH:
        raise BadRequest(f"fields: at most {MAX_LENGTH} characters")
    paths = text.split(",")
    if len(paths) > MAX_FIELDS:
        raise BadRequest(f"fields: at most {MAX_FIELDS} names")
    names = {path.strip() for path in paths}
    selection = _Tree()
    for path in names:
        _check_path(path, _members_of(answer))
        # `user,user.name` is all of `user`.
        if not any(path[:dot] in names for dot in _find_dots(path)):
            place = selection
            for name in path.split("."):
                place = place.setdefault(name, _Tree())
    return selection


def _check_path(path: str, members: _Tree) -> None:
    for name in path.split("."):
        if name not in members:
            raise BadRequest(f"fields: there is no {path!r}", extensions={"known_fields": sorted(members)})
        members = members[name]


def _find_dots(path: str) -> Iterator[int]:
    return (index for index, character in enumerate(path) if character == ".")


@lru_cache(maxsize=256)
def _members_of(type_: type) -> _Tree:
    return _find_members(inspect.type_info(type_))


def _find_members(info: inspect.Type) -> _Tree:
    match info:
        case inspect.StructType(fields=fields):
            return _Tree({field.encode_name: _find_members(field.type) for field in fields})
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return _find_members(item)
        case inspect.Metadata(type=inner):
            return _find_members(inner)
        case inspect.UnionType(types=types):
            return _Tree({name: below for type_ in types for name, below in _find_members(type_).items()})
        case _:
            return _Tree()


def select_fields(value: Any, selection: Selection) -> Any:
    """The part of `value` (built of dicts and lists) that `selection` names."""
    if not selection:
        return value
    if isinstance(value, list):
        return [select_fields(item, selection) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: select_fields(below, selection.get(name, {}))
        for name, below in value.items()
        if name in selection or name in ALWAYS_SENT
    }
