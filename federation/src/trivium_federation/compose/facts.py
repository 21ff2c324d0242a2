"""What follows from one subgraph's directives: which fields it really resolves, shares, and uses itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql.language import ast

from trivium_federation.compose.fieldsets import NamedField, fieldset_text, named_fields_leniently
from trivium_federation.compose.source import Applied, Source, SourceField, SourceType

Coordinate = tuple[str, str]


@dataclass(slots=True)
class Facts:
    """Sets of `(type, field)` of one subgraph.

    external: declared @external and truly so (the key fields of an extension are not) · provided: resolved on some ways
    here (@provides) · shareable: may be resolved elsewhere too · used: named by @key, @requires, @provides, or part of
    an interface that its type implements.
    """

    external: set[Coordinate] = field(default_factory=set)
    provided: set[Coordinate] = field(default_factory=set)
    shareable: set[Coordinate] = field(default_factory=set)
    used: set[Coordinate] = field(default_factory=set)
    key_fields: set[Coordinate] = field(default_factory=set)

    def is_fully_external(self, type_name: str, field_name: str) -> bool:
        """Whether the subgraph never resolves the field."""
        at = type_name, field_name
        return at in self.external and at not in self.provided


def find_facts(source: Source) -> Facts:
    """Derive all facts of one subgraph."""
    facts = Facts()
    for info, applied in uses_on_types(source, "key"):
        for named in _named(source, info.name, applied):
            for at in _with_implementations(source, named):
                facts.key_fields.add(at)
                facts.used.add(at)
    for info, owner, applied in uses_on_fields(source, "provides"):
        del info
        for named in _named(source, owner.type.name, applied):
            for at in _with_implementations(source, named):
                facts.provided.add(at)
                facts.used.add(at)
    for info, _, applied in uses_on_fields(source, "requires"):
        for named in _named(source, info.name, applied):
            facts.used.update(_with_implementations(source, named))
    facts.shareable |= facts.key_fields | facts.provided
    for info in source.types.values():
        for item in info.fields.values():
            at = info.name, item.name
            if _covers(info, item, "shareable"):
                facts.shareable.add(at)
            if _covers(info, item, "external") and not _is_key_of_extension(source, info, item):
                facts.external.add(at)
            if any(item.name in source.types[i].fields for i in info.interfaces if i in source.types):
                facts.used.add(at)
    return facts


def uses_on_types(source: Source, directive: str) -> Iterator[tuple[SourceType, Applied]]:
    """Each use of a directive on a type."""
    for info in source.types.values():
        for applied in info.uses(directive):
            yield info, applied


def uses_on_fields(source: Source, directive: str) -> Iterator[tuple[SourceType, SourceField, Applied]]:
    """Each use of a directive on a field."""
    for info in source.types.values():
        for item in info.fields.values():
            for applied in item.uses(directive):
                yield info, item, applied


def _named(source: Source, type_name: str, applied: Applied) -> list[NamedField]:
    text = fieldset_text(applied)
    return named_fields_leniently(source, type_name, text) if text is not None else []


def _with_implementations(source: Source, named: NamedField) -> Iterator[Coordinate]:
    """The field, and for a field of an interface the same field of its implementations."""
    yield named.type.name, named.field.name
    if named.type.kind == "interface":
        for concrete in source.possible_types(named.type.name):
            if named.field.name in concrete.fields:
                yield concrete.name, named.field.name


def _covers(info: SourceType, item: SourceField, directive: str) -> bool:
    """Whether a directive is on the field, or on the definition or extension that declares the field."""
    return item.has(directive) or any(d.element is item.element for d in info.uses(directive))


def _is_key_of_extension(source: Source, info: SourceType, item: SourceField) -> bool:
    """`extend type T @key(fields: "id") { id: ID! @external }`: federation 1's way to say that the key is another's."""
    for applied in info.uses("key"):
        if not (isinstance(applied.element, ast.TypeExtensionNode) or info.has("extends")):
            continue
        if any(n.type is info and n.field is item for n in _named(source, info.name, applied)):
            return True
    return False
