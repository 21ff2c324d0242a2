"""Projects merged data to the client's answer: key order, types, hidden values, and nulls that rise to where they may be."""

from __future__ import annotations

from collections.abc import Mapping

from trivium_federation.execute.response_shape import Nodes, ResponseField, ResponseShape
from trivium_federation.operation.selection import TYPENAME
from trivium_federation.supergraph.model import TypeRef

Errors = list[dict[str, object]]


class _NullRises(Exception):
    """A null stands where none may be; the nearest nullable place above takes it."""


class Shaper:
    """Shapes one answer. New errors, for nulls that no known error explains, are appended to `errors`."""

    def __init__(self, shape: ResponseShape, local: Mapping[str, object], errors: Errors) -> None:
        self._shape = shape
        self._local = local
        self._errors = errors
        self._path: list[str | int] = []

    def shape(self, data: object) -> dict[str, object] | None:
        """The value of the answer's `data`."""
        try:
            return self._object(self._shape.root_type, self._shape.root_nodes, data)
        except _NullRises:
            return None

    def _object(self, type_name: str, nodes: Nodes, data: object) -> dict[str, object]:
        values = data if isinstance(data, dict) else {}
        found: dict[str, object] = {}
        path = self._path
        for field in self._shape.fields(type_name, nodes):
            path.append(field.response_key)
            if field.kind == "typename":
                found[field.response_key] = type_name
            elif field.kind == "local":
                found[field.response_key] = self._local.get(field.response_key)
            else:
                found[field.response_key] = self._value(field, field.type, values.get(field.key))
            path.pop()
        return found

    def _value(self, field: ResponseField, type_: TypeRef, value: object) -> object:
        if type_.non_null:
            found = self._nullable(field, type_, value)
            if found is None:
                self._explain(field)
                raise _NullRises
            return found
        depth = len(self._path)
        try:
            return self._nullable(field, type_, value)
        except _NullRises:
            del self._path[depth:]
            return None

    def _nullable(self, field: ResponseField, type_: TypeRef, value: object) -> object:
        if value is None:
            return None
        if type_.item is not None:
            return self._list(field, type_.item, value)
        if field.kind == "leaf":
            if field.check(value):
                return value
            self._wrong(field, value)
            return None
        if not isinstance(value, dict):
            self._wrong(field, value)
            return None
        type_name = type_.name
        if field.kind == "abstract":
            runtime = value.get(TYPENAME)
            if runtime is not None:
                if runtime not in self._shape.visible_types(type_name):
                    return None
                type_name = str(runtime)
            elif self._shape.needs_type(type_name, field.nodes):
                return None  # the fetch that was to tell the type failed
        return self._object(type_name, field.nodes, value)

    def _list(self, field: ResponseField, item: TypeRef, value: object) -> object:
        if not isinstance(value, list):
            self._wrong(field, value)
            return None
        found: list[object] = []
        for index, entry in enumerate(value):
            self._path.append(index)
            found.append(self._value(field, item, entry))
            self._path.pop()
        return found

    def _wrong(self, field: ResponseField, value: object) -> None:
        if isinstance(value, str) and field.kind == "leaf" and not _is_built_in(field.type.name):
            return  # an enum value that the client may not see is no fault
        self._errors.append(
            {
                "message": f"A subgraph answered {field.parent}.{field.name} with a value of another type.",
                "path": list(self._path),
                "extensions": {"code": "INVALID_SUBGRAPH_VALUE"},
            }
        )

    def _explain(self, field: ResponseField) -> None:
        """Add an error for a null that no error so far accounts for.

        An error below the same root field does: inside a subgraph, nulls rise to places that only it knows.
        """
        path = self._path
        for error in self._errors:
            known = error.get("path")
            if not isinstance(known, list) or known[:1] == path[:1]:
                return
        self._errors.append(
            {
                "message": f"Cannot return null for non-nullable field {field.parent}.{field.name}.",
                "path": list(path),
                "extensions": {"code": "NULL_IN_NON_NULL"},
            }
        )


def _is_built_in(name: str) -> bool:
    return name in ("Int", "Float", "String", "Boolean", "ID")
