"""Interfaces with keys and @interfaceObject inside one subgraph."""

from __future__ import annotations

from trivium_federation.compose.fieldsets import FieldSetFault, fieldset_text, normal_text
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Source, SourceType


def check_interfaces(source: Source, problems: Problems) -> None:
    """An interface's key must hold for each of its implementations here; an interface object must have a key."""
    for info in source.types.values():
        if info.kind == "interface":
            _check_implementations(source, info, problems)
        elif info.is_interface_object and not info.has("key"):
            message = f"{info.name} is an @interfaceObject without @key, so nobody can look its values up"
            problems.error("INTERFACE_OBJECT_USAGE_ERROR", message, source.place(info.nodes[0]))


def _check_implementations(source: Source, info: SourceType, problems: Problems) -> None:
    for applied in info.uses("key"):
        key = _normal(fieldset_text(applied) or "")
        is_resolvable = _is_resolvable(info, key)
        for concrete in source.possible_types(info.name):
            found = {_normal(fieldset_text(k) or "") for k in concrete.uses("key")}
            if key not in found:
                message = f"{concrete.name} implements {info.name}, but lacks its key {key!r}"
                problems.error(
                    "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
                    message,
                    source.place(concrete.nodes[0]),
                    source.place(applied.node),
                )
            elif is_resolvable and not _is_resolvable(concrete, key):
                message = f"{concrete.name} implements {info.name}, whose key {key!r} is resolvable, but its own is not"
                problems.error(
                    "INTERFACE_KEY_NOT_ON_IMPLEMENTATION", message, source.place(concrete.nodes[0])
                )


def _is_resolvable(info: SourceType, key: str) -> bool:
    for applied in info.uses("key"):
        value = applied.argument("resolvable")
        if _normal(fieldset_text(applied) or "") == key:
            return getattr(value, "value", True) is not False
    return False


def _normal(text: str) -> str:
    """A key in which the order of fields does not matter."""
    try:
        return " ".join(sorted(normal_text(text).split())) if "{" not in text else normal_text(text)
    except FieldSetFault:
        return text
