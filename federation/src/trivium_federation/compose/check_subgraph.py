"""The rules of federation inside one subgraph: field sets, externals, and where directives may stand."""

from __future__ import annotations

from trivium_federation.compose.check_auth import check_no_auth_on_interfaces
from trivium_federation.compose.check_costs import check_costs
from trivium_federation.compose.check_interfaces import check_interfaces
from trivium_federation.compose.facts import Facts, uses_on_fields, uses_on_types
from trivium_federation.compose.fieldsets import FieldSetFault, NamedField, fieldset_text, named_fields
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Applied, Source, SourceType


def check_subgraph(source: Source, facts: Facts, problems: Problems) -> None:
    """Add everything in this subgraph that breaks a rule of federation, whatever the others say."""
    _check_contexts(source, problems)
    of_fieldsets = Problems()
    _check_keys(source, of_fieldsets)
    _check_requires(source, facts, of_fieldsets)
    _check_provides(source, facts, of_fieldsets)
    problems.add(of_fieldsets.all)
    _check_externals(source, facts, problems, are_uses_known=not of_fieldsets.errors)
    _check_shareable(source, problems)
    check_interfaces(source, problems)
    check_costs(source, problems)
    check_no_auth_on_interfaces(source, problems)


def _check_contexts(source: Source, problems: Problems) -> None:
    for _, applied in uses_on_types(source, "context"):
        _refuse_context(source, applied, problems)
    for info in source.types.values():
        for item in info.fields.values():
            for argument in item.arguments.values():
                for applied in argument.uses("fromContext"):
                    _refuse_context(source, applied, problems)


def _refuse_context(source: Source, applied: Applied, problems: Problems) -> None:
    message = f"@{applied.local_name} is not supported yet: this composer does not know contexts"
    problems.error("UNSUPPORTED_FEATURE", message, source.place(applied.node))


def _check_keys(source: Source, problems: Problems) -> None:
    for info, applied in uses_on_types(source, "key"):
        place = source.place(applied.node)
        if info.kind == "interface" and source.links.version < (2, 3) and source.links.is_federation_2:
            message = f"@key on interface {info.name} needs federation v2.3"
            problems.error("KEY_UNSUPPORTED_ON_INTERFACE", message, place)
            continue
        named = _fields_of(source, info.name, applied, "KEY", problems)
        for found in named or ():
            target = source.types.get(found.field.type.name)
            if found.field.arguments:
                message = (
                    f"key {applied.text('fields')!r} of {info.name} names {_at(found)}, which has arguments"
                )
                problems.error("KEY_FIELDS_HAS_ARGS", message, place)
            if target is not None and target.kind in ("interface", "union"):
                message = f"key {applied.text('fields')!r} of {info.name} names {_at(found)}, which returns {_article(target)}"
                problems.error("KEY_FIELDS_SELECT_INVALID_TYPE", message, place)


def _check_requires(source: Source, facts: Facts, problems: Problems) -> None:
    for info, item, applied in uses_on_fields(source, "requires"):
        place = source.place(applied.node)
        if info.kind == "interface":
            message = f"@requires on {info.name}.{item.name}, a field of an interface"
            problems.error("REQUIRES_UNSUPPORTED_ON_INTERFACE", message, place)
            continue
        for found in _fields_of(source, info.name, applied, "REQUIRES", problems) or ():
            if found.is_leaf and not _is_external(source, facts, found):
                message = f"{info.name}.{item.name} requires {_at(found)}, which is not @external here"
                problems.error("REQUIRES_FIELDS_MISSING_EXTERNAL", message, place)


def _check_provides(source: Source, facts: Facts, problems: Problems) -> None:
    for info, item, applied in uses_on_fields(source, "provides"):
        place = source.place(applied.node)
        if info.kind == "interface":
            message = f"@provides on {info.name}.{item.name}, a field of an interface"
            problems.error("PROVIDES_UNSUPPORTED_ON_INTERFACE", message, place)
            continue
        target = source.types.get(item.type.name)
        if target is None or target.kind not in ("object", "interface", "union"):
            message = f"@provides on {info.name}.{item.name}, which returns {item.type}"
            problems.error("PROVIDES_ON_NON_OBJECT_FIELD", message, place)
            continue
        for found in _fields_of(source, target.name, applied, "PROVIDES", problems) or ():
            if found.field.arguments:
                message = f"{info.name}.{item.name} provides {_at(found)}, which has arguments"
                problems.error("PROVIDES_FIELDS_HAS_ARGS", message, place)
            elif found.is_leaf and not _is_external(source, facts, found):
                message = f"{info.name}.{item.name} provides {_at(found)}, which is not @external here"
                problems.error("PROVIDES_FIELDS_MISSING_EXTERNAL", message, place)


def _fields_of(
    source: Source, type_name: str, applied: Applied, prefix: str, problems: Problems
) -> list[NamedField] | None:
    place = source.place(applied.node)
    text = applied.text("fields")
    if text is None and not source.links.is_federation_2:
        text = fieldset_text(applied)
    if text is None:
        message = f"the fields of @{applied.local_name} must be a string"
        problems.error(f"{prefix}_INVALID_FIELDS_TYPE", message, place)
        return None
    try:
        return named_fields(source, type_name, text)
    except FieldSetFault as fault:
        problems.error(f"{prefix}_{fault.kind}", f"@{applied.local_name} on {type_name}: {fault}", place)
        return None


def _is_external(source: Source, facts: Facts, found: NamedField) -> bool:
    """Whether the field, one above it, or (for an interface) some implementation's field is @external."""
    for info, item in (*found.parents, (found.type, found.field)):
        if (info.name, item.name) in facts.external:
            return True
        if info.kind == "interface":
            concrete = source.possible_types(info.name)
            if any((c.name, item.name) in facts.external for c in concrete):
                return True
    return False


def _check_externals(source: Source, facts: Facts, problems: Problems, *, are_uses_known: bool) -> None:
    """While a field set is wrong, a field that seems unused may be what it meant."""
    for info in source.types.values():
        for item in info.fields.values():
            if info.kind == "interface" and item.has("external"):
                message = f"{info.name}.{item.name} is @external, but {info.name} is an interface"
                problems.error("EXTERNAL_ON_INTERFACE", message, source.place(item.node))
            elif (
                are_uses_known
                and (info.name, item.name) in facts.external
                and (info.name, item.name) not in facts.used
            ):
                message = f"{info.name}.{item.name} is @external, but nothing here uses it"
                problems.error("EXTERNAL_UNUSED", message, source.place(item.node))


def _check_shareable(source: Source, problems: Problems) -> None:
    for info, item, applied in uses_on_fields(source, "shareable"):
        if info.kind == "interface":
            message = f"@shareable on {info.name}.{item.name}, a field of an interface"
            problems.error("INVALID_SHAREABLE_USAGE", message, source.place(applied.node))
    for info in source.types.values():
        for element in info.nodes:
            if sum(1 for d in info.uses("shareable") if d.element is element) > 1:
                message = f"@shareable twice on one declaration of {info.name}"
                problems.error("INVALID_SHAREABLE_USAGE", message, source.place(element))
        for item in info.fields.values():
            if sum(1 for _ in item.uses("shareable")) > 1:
                message = f"@shareable twice on {info.name}.{item.name}"
                problems.error("INVALID_SHAREABLE_USAGE", message, source.place(item.node))


def _at(found: NamedField) -> str:
    return f"{found.type.name}.{found.field.name}"


def _article(info: SourceType) -> str:
    return f"an interface ({info.name})" if info.kind == "interface" else f"a union ({info.name})"
