"""Translates paths in the merged data to paths in the client's answer."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.execute.response_shape import ResponseShape, find_fields
from trivium_federation.operation.selection import TYPENAME


def client_path(shape: ResponseShape, data: object, path: Sequence[str | int]) -> list[str | int]:
    """The client's path of a value; it ends early where the client did not ask for the rest."""
    found: list[str | int] = []
    type_name, nodes = shape.root_type, shape.root_nodes
    value = data
    for step in path:
        if isinstance(step, int):
            found.append(step)
            value = value[step] if isinstance(value, list) and step < len(value) else None
            continue
        field = find_fields(shape.fields(_runtime(type_name, value), nodes), step)
        if field is None:
            break
        found.append(field.response_key)
        value = value.get(step) if isinstance(value, dict) else None
        type_name, nodes = field.type.name, field.nodes
        if not nodes:
            break
    return found


def _runtime(type_name: str, value: object) -> str:
    runtime = value.get(TYPENAME) if isinstance(value, dict) else None
    return runtime if isinstance(runtime, str) else type_name
