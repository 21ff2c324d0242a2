"""Makes the msgspec Structs of a layout: their decoders check types and nulls while they parse."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from trivium_federation.compiled.layout import LaidField, LaidPosition, Layout, Provider, Unsupported
from trivium_federation.supergraph.model import Supergraph, TypeRef

_SCALARS: dict[str, Any] = {
    "Int": int,
    "Float": int | float,
    "String": str,
    "Boolean": bool,
    "ID": str | int,
}
_BAD_NAME = ('"', "\\")


class Structs:
    """The Struct of each position and of each answer. Attributes are numbered: no client text becomes code."""

    def __init__(self, supergraph: Supergraph, layout: Layout) -> None:
        self._supergraph = supergraph
        self._layout = layout
        self._attributes: dict[str, str] = {}
        self._classes: dict[tuple[object, ...], type[msgspec.Struct]] = {}

    def attribute(self, key: str) -> str:
        """The attribute for a key, the same in all Structs of the plan."""
        return self._attributes.setdefault(key, f"a{len(self._attributes)}")

    def position(self, position: LaidPosition) -> type[msgspec.Struct]:
        """The Struct of the objects at a position, its fields in the client's order."""
        signature = position.signature()
        known = self._classes.get(signature)
        if known is None:
            fields = [self._position_field(position, f) for f in position.fields.values()]
            names = {self.attribute(f.key): f.response_key or f.key for f in position.fields.values()}
            known = self._classes[signature] = _struct("Position", fields, names)
        return known

    def root_answer(self, position: LaidPosition, provider: Provider, *, is_whole: bool) -> Any:
        """A decoder of a root answer. `is_whole`: its data is the client's own, field for field."""
        if is_whole:
            return _decoder(self.position(position))
        fields = [f for f in position.fields.values() if provider in f.providers]
        return _decoder(self._partial(fields))

    def entity_answer(self, slots: list[tuple[str, LaidPosition, Provider]]) -> Any:
        """A decoder of an answer with a list of entities for each slot, by alias."""
        lists: list[tuple[str, Any]] = []
        names: dict[str, str] = {}
        for alias, position, provider in slots:
            fields = [f for f in position.fields.values() if provider in f.providers]
            lists.append((f"s{provider[1]}", list[self._partial(fields) | None]))  # type: ignore[misc]
            names[f"s{provider[1]}"] = alias
        return _decoder(_struct("Entities", [(n, t) for n, t in lists], names))

    def _partial(self, fields: list[LaidField]) -> type[msgspec.Struct]:
        """A Struct of the fields that one answer brings."""
        specs: list[Any] = []
        for laid in fields:
            annotation = self._annotation(laid, laid.type)
            if laid.type.non_null:
                specs.append((self.attribute(laid.key), annotation))
            else:
                specs.append((self.attribute(laid.key), annotation, None))
        return _struct("Partial", specs, {self.attribute(f.key): f.key for f in fields})

    def _position_field(self, position: LaidPosition, laid: LaidField) -> Any:
        name = self.attribute(laid.key)
        if laid.kind == "typename":
            return (name, str, position.type_name)
        if laid.kind == "local":
            return (name, Any, None)
        annotation = self._annotation(laid, laid.type)
        is_owned = position.owner in laid.providers or position.owner is None
        if laid.response_key is None:
            return (name, annotation | UnsetType, UNSET)
        if not laid.type.non_null:
            return (name, annotation, None)
        return (name, annotation) if is_owned else (name, annotation | UnsetType, UNSET)

    def _annotation(self, laid: LaidField, type_: TypeRef) -> Any:
        if type_.item is not None:
            found: Any = list[self._annotation(laid, type_.item)]  # type: ignore[misc]
        elif laid.child is not None:
            found = self.position(laid.child)
        else:
            found = self._leaf(type_.name)
        return found if type_.non_null or found is Any else found | None

    def _leaf(self, name: str) -> Any:
        if name in _SCALARS:
            return _SCALARS[name]
        info = self._supergraph.types[name]
        if info.kind == "enum":
            if not info.enum_values:
                raise Unsupported(f"{name} has no value that a client may see")
            return Literal[tuple(sorted(info.enum_values))]
        return Any


def _struct(name: str, fields: list[Any], names: dict[str, str]) -> type[msgspec.Struct]:
    if any(bad in text for text in names.values() for bad in _BAD_NAME):
        raise Unsupported("a name needs escaping")
    return msgspec.defstruct(name, fields, kw_only=True, gc=False, rename=names)


def _decoder(data: type[msgspec.Struct]) -> Any:
    answer = msgspec.defstruct(
        "SubgraphAnswer", [("data", data), ("errors", Any, None)], kw_only=True, gc=False
    )
    return msgspec.json.Decoder(answer).decode
