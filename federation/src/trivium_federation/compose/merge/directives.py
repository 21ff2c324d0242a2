"""Directive definitions of the supergraph: those of clients that all subgraphs know, and those that are composed."""

from __future__ import annotations

from graphql import print_ast
from graphql.language import ast

from trivium_federation.compose.directives import KNOWN
from trivium_federation.compose.links import Feature
from trivium_federation.compose.merge.inputs import merge_arguments
from trivium_federation.compose.merge.model import MergedSchema
from trivium_federation.compose.merge.state import Merging, listed
from trivium_federation.compose.source import Source, SourceInput
from trivium_federation.supergraph.join import type_ref

_EXECUTABLE = frozenset(
    {
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
    }
    | {"VARIABLE_DEFINITION"}
)


def find_composed(merging: Merging, schema: MergedSchema) -> None:
    """Read every @composeDirective: its definition and its @link go into the supergraph."""
    chosen: dict[str, tuple[Feature, ast.DirectiveDefinitionNode]] = {}
    for source in merging.sources:
        for applied in (d for d in source.schema_directives if d.name == "composeDirective"):
            place = source.place(applied.node)
            found = _composable(merging, source, applied.text("name") or "")
            if found is None:
                continue
            feature, definition = found
            local = definition.name.value
            before = chosen.get(local)
            if before is not None and before[0].identity != feature.identity:
                message = f"@{local} is from {before[0].identity} in one subgraph, from {feature.identity} in {source.name}"
                merging.problems.error("DIRECTIVE_COMPOSITION_ERROR", message, place)
            elif before is not None and before[0].version[0] != feature.version[0]:
                message = f"@{local} is of major version {before[0].version[0]} in one subgraph, {feature.version[0]} in {source.name}"
                merging.problems.error("DIRECTIVE_COMPOSITION_ERROR", message, place)
            if before is None or feature.version > before[0].version:
                chosen[local] = found
    _check_names(merging, chosen)
    by_feature: dict[str, list[str]] = {}
    for local, (feature, definition) in chosen.items():
        merging.composed[local] = definition.repeatable
        schema.directive_definitions.append(print_ast(_without_descriptions(definition)))
        own = feature.name if local == feature.prefix else local.removeprefix(feature.prefix + "__")
        original = next((n for n, name in feature.local_directives() if name == local), own)
        imported = f'"@{local}"' if original == local else f'{{name: "@{original}", as: "@{local}"}}'
        by_feature.setdefault(feature.url, []).append(imported)
    for url, imports in by_feature.items():
        schema.links.append(f'@link(url: "{url}", import: [{", ".join(imports)}])')


def _composable(
    merging: Merging, source: Source, name: str
) -> tuple[Feature, ast.DirectiveDefinitionNode] | None:
    """The feature and definition behind a name, or None with the reason told."""
    applied = next(
        d for d in source.schema_directives if d.name == "composeDirective" and (d.text("name") or "") == name
    )
    place, problems = source.place(applied.node), merging.problems
    local = name.removeprefix("@")
    if not name.startswith("@"):
        problems.error("DIRECTIVE_COMPOSITION_ERROR", f"{name!r} must start with @", place)
        return None
    if source.links.known_directive(local) in KNOWN:
        problems.hint("DIRECTIVE_COMPOSITION_INFO", f"{name} is composed anyway", place)
        return None
    definition = source.directive_definitions.get(local)
    found = source.links.feature_of(local)
    if definition is None:
        problems.error("DIRECTIVE_COMPOSITION_ERROR", f"{name} is not defined in this subgraph", place)
        return None
    if found is None:
        problems.error("DIRECTIVE_COMPOSITION_ERROR", f"{name} comes from no @link of this subgraph", place)
        return None
    return found[0], definition


def _check_names(merging: Merging, chosen: dict[str, tuple[Feature, ast.DirectiveDefinitionNode]]) -> None:
    """One directive under two names would be two in the supergraph."""
    for local, (feature, _) in chosen.items():
        for source in merging.sources:
            for other in source.links.features:
                if other.identity != feature.identity:
                    continue
                names = dict(other.local_directives())
                original = next((n for n, name in feature.local_directives() if name == local), None)
                if (
                    original in names
                    and names[original] != local
                    and names[original] in source.directive_definitions
                ):
                    message = f"@{original} is called @{names[original]} here, but @{local} elsewhere"
                    merging.problems.error("DIRECTIVE_COMPOSITION_ERROR", message, source.place(other.node))


def merge_executable(merging: Merging, schema: MergedSchema) -> None:
    """Definitions of directives that clients write (`@include`-like): what all subgraphs understand."""
    names = dict.fromkeys(name for source in merging.sources for name in source.directive_definitions)
    for name in names:
        if name in merging.composed:
            continue
        declared = [
            (s, s.directive_definitions[name]) for s in merging.sources if name in s.directive_definitions
        ]
        if any(s.links.known_directive(name) is not None or s.links.feature_of(name) for s, _ in declared):
            continue
        if name in (merging.sources[0].links.link_name, "core", "defer", "stream"):
            continue
        shared = set.intersection(*({n.value for n in d.locations} & _EXECUTABLE for _, d in declared))
        if not any({n.value for n in d.locations} & _EXECUTABLE for _, d in declared):
            continue
        places = [s.place(d) for s, d in declared]
        if len(declared) < len(merging.sources):
            lacking = listed(s.name for s in merging.sources if name not in s.directive_definitions)
            message = f"@{name} is not known in {lacking}, so clients cannot use it"
            merging.problems.hint("INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE", message, *places)
            continue
        if not shared:
            message = f"@{name} has no place that all subgraphs allow, so clients cannot use it"
            merging.problems.hint("NO_EXECUTABLE_DIRECTIVE_INTERSECTION", message, *places)
            continue
        owners = [(s, _arguments(d)) for s, d in declared]
        arguments = merge_arguments(merging, f"@{name}", owners)
        printed = ", ".join(
            f"{a.name}: {a.type}" + (f" = {a.default}" if a.default is not None else "")
            for a in arguments.values()
        )
        is_repeatable = all(d.repeatable for _, d in declared)
        order = [n.value for n in declared[0][1].locations if n.value in shared]
        schema.directive_definitions.append(
            f"directive @{name}{f'({printed})' if printed else ''}"
            f"{' repeatable' if is_repeatable else ''} on {' | '.join(order)}"
        )


def _arguments(node: ast.DirectiveDefinitionNode) -> dict[str, SourceInput]:
    return {
        a.name.value: SourceInput(a.name.value, type_ref(a.type), a.default_value, None, [], a)
        for a in node.arguments or ()
    }


def _without_descriptions(node: ast.DirectiveDefinitionNode) -> ast.DirectiveDefinitionNode:
    return ast.DirectiveDefinitionNode(
        name=node.name, arguments=node.arguments, repeatable=node.repeatable, locations=node.locations
    )
