"""Federation 1 schemas, read as federation 2 ones.

Federation 1 has no @shareable, tolerates @external that nothing uses, and lets extensions mark another's key @external.
What it only implied is said here, by changing a copy: the schema that was read stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphql.language import ast

from trivium_federation.compose.facts import Facts, find_facts
from trivium_federation.compose.fieldsets import fieldset_text, named_fields_leniently, parse_fields
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Applied, Source, SourceField, SourceType

_ROOT_NAMES = ("Query", "Mutation", "Subscription")


def upgrade_all(sources: Sequence[Source], problems: Problems) -> list[Source]:
    """Each source as federation 2 means it; sources of federation 2 are returned unchanged."""
    for source in sources:
        for info in source.types.values():
            _check_base(info, source, sources, problems)
    upgraded = [s if s.links.is_federation_2 else _without_remains(s, sources) for s in sources]
    if all(source.links.is_federation_2 for source in sources):
        return upgraded
    facts = [find_facts(source) for source in upgraded]
    for position, source in enumerate(upgraded):
        if not source.links.is_federation_2:
            _mark_shareable(position, upgraded, facts)
    return upgraded


def _without_remains(source: Source, sources: Sequence[Source]) -> Source:
    copy = replace(source, types={name: _copy(info) for name, info in source.types.items()})
    for info in copy.types.values():
        if info.kind == "interface":
            info.directives = [d for d in info.directives if d.name != "key"]
        for item in info.fields.values():
            if info.kind == "interface":
                _drop(item, "external", "provides", "requires")
            target = copy.types.get(item.type.name)
            if target is None or target.kind not in ("object", "interface", "union"):
                _drop(item, "provides")
    for info in copy.types.values():
        if info.kind == "object" and info.is_extension:
            _own_key_fields(info, copy, sources)
    facts = find_facts(copy)
    for info in copy.types.values():
        for item in info.fields.values():
            _drop_inactive(copy, facts, info, item)
    _drop_unused(copy)
    return copy


def _copy(info: SourceType) -> SourceType:
    fields = {name: replace(item, directives=list(item.directives)) for name, item in info.fields.items()}
    directives = [d for d in info.directives if d.name != "external" or info.kind == "object"]
    return replace(info, fields=fields, directives=directives)


def _drop(item: SourceField, *names: str) -> None:
    item.directives = [d for d in item.directives if d.name not in names]


def _check_base(info: SourceType, source: Source, sources: Sequence[Source], problems: Problems) -> None:
    if not info.is_extension or info.name in _ROOT_NAMES:
        return
    others = [s.types[info.name] for s in sources if s.name != source.name and info.name in s.types]
    if not any(not other.is_extension for other in others):
        message = f"{info.name} is extended here, but no subgraph defines it"
        problems.error("EXTENSION_WITH_NO_BASE", message, source.place(info.nodes[0]))


def _own_key_fields(info: SourceType, source: Source, sources: Sequence[Source]) -> None:
    """The key fields of an extension are its own, @external or not; without a key, those of the owner's first key."""
    texts = [fieldset_text(k) for k in info.uses("key")]
    if texts:
        for text in texts:
            for named in named_fields_leniently(source, info.name, text or ""):
                _drop(named.field, "external")
        return
    for other in sources:
        owner = other.types.get(info.name)
        if other.name == source.name or owner is None or owner.is_extension:
            continue
        first = next(owner.uses("key"), None)
        for named in named_fields_leniently(other, info.name, fieldset_text(first) or "") if first else ():
            own = source.types.get(named.type.name)
            if own is not None and named.field.name in own.fields:
                _drop(own.fields[named.field.name], "external")
        return


def _drop_inactive(source: Source, facts: Facts, info: SourceType, item: SourceField) -> None:
    """@requires and @provides of fields that are not external mean nothing: only their external part is kept."""
    for name, on in (("requires", info.name), ("provides", item.type.name)):
        kept: list[Applied] = []
        for applied in item.directives:
            if applied.name != name:
                kept.append(applied)
                continue
            text = fieldset_text(applied)
            named = named_fields_leniently(source, on, text or "")
            active = {
                n.node.name.value for n in named if n.is_leaf and _is_external(source, facts, n.type, n.field)
            }
            active |= {
                n.node.name.value
                for n in named
                if n.is_leaf and any((t.name, f.name) in facts.external for t, f in n.parents)
            }
            if not named:
                kept.append(applied)
            elif active:
                kept.append(_restricted(applied, text or "", active))
        item.directives = kept


def _is_external(source: Source, facts: Facts, info: SourceType, item: SourceField) -> bool:
    if (info.name, item.name) in facts.external:
        return True
    concrete = source.possible_types(info.name) if info.kind == "interface" else []
    return any((c.name, item.name) in facts.external for c in concrete)


def _restricted(applied: Applied, text: str, active: set[str]) -> Applied:
    """The same directive with only the active leaves in its field set."""
    kept = _restrict(parse_fields(text), active)
    argument = ast.ConstArgumentNode(
        name=ast.NameNode(value="fields"), value=ast.StringValueNode(value=kept or text)
    )
    node = ast.ConstDirectiveNode(name=applied.node.name, arguments=(argument,), loc=applied.node.loc)
    return Applied(applied.name, applied.local_name, node, applied.element)


def _restrict(node: ast.SelectionSetNode, active: set[str]) -> str:
    parts: list[str] = []
    for part in node.selections:
        if isinstance(part, ast.InlineFragmentNode):
            inner = _restrict(part.selection_set, active)
            condition = f"... on {part.type_condition.name.value}" if part.type_condition else "..."
            parts += [f"{condition} {{ {inner} }}"] if inner else []
        elif isinstance(part, ast.FieldNode) and part.selection_set is not None:
            inner = _restrict(part.selection_set, active)
            parts += [f"{part.name.value} {{ {inner} }}"] if inner else []
        elif isinstance(part, ast.FieldNode) and part.name.value in active:
            parts.append(part.name.value)
    return " ".join(parts)


def _drop_unused(source: Source) -> None:
    """@external fields that nothing uses are only remarks in federation 1."""
    facts = find_facts(source)
    for info in list(source.types.values()):
        unused = [
            f for f in info.fields if (info.name, f) in facts.external and (info.name, f) not in facts.used
        ]
        for name in unused:
            del info.fields[name]
        if unused and not info.fields:
            del source.types[info.name]


def _mark_shareable(position: int, sources: Sequence[Source], facts: Sequence[Facts]) -> None:
    """Value types are shared where another subgraph has them, other fields where another subgraph resolves them too."""
    source, own = sources[position], facts[position]
    others = [i for i in range(len(sources)) if i != position]
    for info in source.types.values():
        if info.kind != "object" or info.name == "Subscription":
            continue
        is_value = not info.has("key") and info.name not in _ROOT_NAMES
        for item in info.fields.values():
            at = info.name, item.name
            if is_value:
                is_shared = any(info.name in sources[i].types for i in others)
            else:
                is_shared = at not in own.shareable and any(
                    info.name in sources[i].types
                    and item.name in sources[i].types[info.name].fields
                    and not facts[i].is_fully_external(*at)
                    for i in others
                )
            if is_shared:
                own.shareable.add(at)
                item.directives.append(_shareable(item))


def _shareable(item: SourceField) -> Applied:
    node = ast.ConstDirectiveNode(name=ast.NameNode(value="shareable"), arguments=())
    return Applied("shareable", "shareable", node, item.node)
