"""@authenticated, @requiresScopes and @policy: interfaces inherit them, and @requires must not be a way around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trivium_federation.compose.facts import uses_on_fields
from trivium_federation.compose.fieldsets import NamedField, fieldset_text, named_fields_leniently
from trivium_federation.compose.merge.applied import Requirement, read_requirements
from trivium_federation.compose.merge.model import MergedSchema
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Source

AUTH = ("authenticated", "requiresScopes", "policy")


def check_no_auth_on_interfaces(source: Source, problems: Problems) -> None:
    """Requirements stand on concrete types: on an interface they would be forgotten for values of other types."""
    for info in source.types.values():
        if info.merged_kind != "interface":
            continue
        parts = [(info.name, info), *((f"{info.name}.{f.name}", f) for f in info.fields.values())]
        for at, part in parts:
            for applied in part.directives:
                if applied.name in AUTH:
                    message = f"@{applied.local_name} on {at}, which is (part of) an interface"
                    problems.error(
                        "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE", message, source.place(applied.node)
                    )


def check_transitive_auth(schema: MergedSchema, sources: Sequence[Source], problems: Problems) -> None:
    """Add an error for each field that requires a field which is guarded more strictly."""
    for source in sources:
        for info, item, applied in uses_on_fields(source, "requires"):
            own = _guards(schema, info.name, item.name)
            named = named_fields_leniently(source, info.name, fieldset_text(applied) or "")
            for found in named:
                lacking = [
                    guard
                    for at in _with_implementations(schema, found)
                    for guard in _guards(schema, *at)
                    if not any(mine.implies(guard) for mine in own)
                ]
                if lacking:
                    message = (
                        f"{info.name}.{item.name} requires {found.type.name}.{found.field.name},"
                        f" but not {lacking[0]} as that does"
                    )
                    problems.error(
                        "MISSING_TRANSITIVE_AUTH_REQUIREMENTS", message, source.place(applied.node)
                    )


def _with_implementations(schema: MergedSchema, found: NamedField) -> Iterator[tuple[str, str]]:
    yield found.type.name, found.field.name
    if found.type.merged_kind == "interface":
        for merged in schema.types.values():
            if found.type.name in merged.interfaces:
                yield merged.name, found.field.name


def _guards(schema: MergedSchema, type_name: str, field_name: str) -> list[Requirement]:
    """What a reader of the field must fulfil: the field's own, its type's, and those of what it returns."""
    merged = schema.types.get(type_name)
    item = merged.fields.get(field_name) if merged is not None else None
    if merged is None or item is None:
        return []
    target = schema.types.get(item.type.name)
    texts = [*merged.directives, *item.directives, *(target.directives if target is not None else ())]
    return read_requirements(texts)
