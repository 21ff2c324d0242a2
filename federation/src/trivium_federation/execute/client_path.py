"""Translates paths in the merged data to paths in the client's answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trivium_federation.execute.response_shape import Nodes, ResponseShape
from trivium_federation.operation.selection import TYPENAME

ClientPath = list[str | int]


def is_of_interest(shape: ResponseShape, data: object, path: Sequence[str | int]) -> bool:
    """Whether a path leads where the client looks.

    A field may be fetched for all values of an interface although it is wanted of one type only, because the subgraph
    cannot tell the types apart. What happens to it in values of other types is nobody's concern.
    """
    type_name, nodes, value = shape.root_type, shape.root_nodes, data
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
            continue
        candidates = list(_types(shape, type_name, value))
        fields = [f for t in candidates for f in shape.fields(t, nodes) if f.key == step]
        if not fields:
            others = shape.visible_types(type_name) if len(candidates) == 1 else ()
            return not any(f.key == step for t in others for f in shape.fields(t, nodes))
        value = value.get(step) if isinstance(value, dict) else None
        type_name, nodes = fields[0].type.name, fields[0].nodes
        if len(fields) > 1 or not nodes:
            return True
    return True


def client_path(shape: ResponseShape, data: object, path: Sequence[str | int]) -> ClientPath:
    """The client's path of a value; it ends early where the client did not ask for the rest."""
    return _below(shape, shape.root_type, shape.root_nodes, data, path, set())


def _below(
    shape: ResponseShape,
    type_name: str,
    nodes: Nodes,
    value: object,
    path: Sequence[str | int],
    tried: set[tuple[str, Nodes, int]],
) -> ClientPath:
    if not path:
        return []
    if value is None:
        # Without data every type is possible; the same question again has the same answer.
        question = type_name, nodes, len(path)
        if question in tried:
            return []
        tried.add(question)
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        entry = value[step] if isinstance(value, list) and step < len(value) else None
        return [step, *_below(shape, type_name, nodes, entry, rest, tried)]
    longest: ClientPath = []
    for candidate in _types(shape, type_name, value):
        for field in shape.fields(candidate, nodes):
            if field.key != step:
                continue
            found: ClientPath = [field.response_key]
            if field.nodes:
                child = value.get(step) if isinstance(value, dict) else None
                found += _below(shape, field.type.name, field.nodes, child, rest, tried)
            if len(found) == len(path):
                return found
            longest = max(longest, found, key=len)
    return longest


def _types(shape: ResponseShape, type_name: str, value: object) -> Iterator[str]:
    """The type of a value, or, where an error left none, all types that it may have had."""
    runtime = value.get(TYPENAME) if isinstance(value, dict) else None
    if isinstance(runtime, str) and runtime in shape.visible_types(type_name):
        yield runtime
        return
    yield type_name
    yield from sorted(shape.visible_types(type_name) - {type_name})
