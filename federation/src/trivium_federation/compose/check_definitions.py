"""How a subgraph uses and defines federation's own directives, beyond what GraphQL checks itself."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import print_ast
from graphql.language import ast

from trivium_federation.compose.directives import definition_of
from trivium_federation.compose.literals import is_literal_of
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Applied, HasDirectives, Source
from trivium_federation.supergraph.join import type_ref

# Arguments that have messages of their own, or that federation 1 wrote in other ways.
_CHECKED_ELSEWHERE = frozenset({("key", "fields"), ("requires", "fields"), ("provides", "fields")})


def check_definitions(source: Source, problems: Problems) -> None:
    """Add faults of own definitions of known directives, and of the values that uses give."""
    names = source.links.local_names()
    known = {
        local: definition_of(name, local, source.links.version) for name, ls in names.items() for local in ls
    }
    for local, node in source.directive_definitions.items():
        if local in known:
            _check_definition(source, node, known[local], problems)
    for applied in _all_uses(source):
        if applied.local_name in known:
            _check_values(source, applied, known[applied.local_name], problems)


def _check_definition(
    source: Source,
    node: ast.DirectiveDefinitionNode,
    wanted: ast.DirectiveDefinitionNode,
    problems: Problems,
) -> None:
    """A schema may repeat a definition, or narrow it; it may not change it."""
    given = {a.name.value: a for a in node.arguments or ()}
    allowed = {a.name.value: a for a in wanted.arguments or ()}
    faults = [f"unknown argument {name}" for name in given.keys() - allowed.keys()]
    faults += [
        f"argument {name} is missing"
        for name, argument in allowed.items()
        if name not in given and isinstance(argument.type, ast.NonNullTypeNode)
    ]
    places = {n.value for n in wanted.locations}
    faults += [f"it does not belong on {n.value}" for n in node.locations if n.value not in places]
    for fault in sorted(faults):
        message = f"the definition of @{node.name.value} is not federation's: {fault}"
        problems.error("DIRECTIVE_DEFINITION_INVALID", message, source.place(node))


def _check_values(
    source: Source, applied: Applied, definition: ast.DirectiveDefinitionNode, problems: Problems
) -> None:
    types = {a.name.value: type_ref(a.type) for a in definition.arguments or ()}
    for argument in applied.node.arguments or ():
        name = argument.name.value
        if (applied.name, name) in _CHECKED_ELSEWHERE or name not in types:
            continue
        if not is_literal_of(source, argument.value, types[name]):
            given = print_ast(argument.value)
            message = f"@{applied.local_name}({name}:) must be of type {types[name]}, but is {given}"
            problems.error("INVALID_GRAPHQL", message, source.place(argument))


def _all_uses(source: Source) -> Iterator[Applied]:
    yield from source.schema_directives
    for part in _all_parts(source):
        yield from part.directives


def _all_parts(source: Source) -> Iterator[HasDirectives]:
    for info in source.types.values():
        yield info
        yield from info.values.values()
        yield from info.inputs.values()
        for item in info.fields.values():
            yield item
            yield from item.arguments.values()
