"""The schema that clients see: the supergraph without its machinery and without what is @inaccessible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from graphql import GraphQLSchema, build_ast_schema
from graphql.language import ast

from trivium_federation.supergraph import join

N = TypeVar("N", bound=ast.Node)

_MACHINERY = re.compile(r"^(join|link|core|connect|federation)__")
# Directives that speak to the gateway, not to the client.
_HIDDEN_DIRECTIVES = frozenset(
    {
        *("link", "core", "inaccessible", "tag", "authenticated", "requiresScopes", "policy", "cost"),
        *("listSize", "context", "fromContext", "composeDirective", "interfaceObject", "key", "requires"),
        *("provides", "external", "shareable", "override", "extends"),
    }
)


def build_api_schema(document: ast.DocumentNode) -> GraphQLSchema:
    """Derive the client's schema, as graphql-core's type, for validation and introspection."""
    inaccessible = join.read_specs(document).inaccessible
    definitions: list[ast.DefinitionNode] = []
    for node in document.definitions:
        if isinstance(node, ast.TypeDefinitionNode):
            if not _MACHINERY.match(node.name.value):
                definitions.append(node)
        elif isinstance(node, ast.DirectiveDefinitionNode):
            if not _is_machinery(node.name.value):
                definitions.append(node)
        elif isinstance(node, ast.SchemaDefinitionNode):
            definitions.append(_rebuilt(node, directives=()))
    hidden = _hidden_types(definitions, inaccessible)
    kept = [_api_definition(d, inaccessible, hidden) for d in definitions if not _is_hidden(d, hidden)]
    return build_ast_schema(
        ast.DocumentNode(definitions=tuple(kept)), assume_valid=True, assume_valid_sdl=True
    )


def _is_machinery(directive: str) -> bool:
    return directive in _HIDDEN_DIRECTIVES or bool(_MACHINERY.match(directive))


def _hidden_types(definitions: Sequence[ast.DefinitionNode], inaccessible: str) -> frozenset[str]:
    return frozenset(
        d.name.value
        for d in definitions
        if isinstance(d, ast.TypeDefinitionNode) and join.has_directive(d, inaccessible)
    )


def _is_hidden(node: ast.DefinitionNode, hidden: frozenset[str]) -> bool:
    return isinstance(node, ast.TypeDefinitionNode) and node.name.value in hidden


def _api_definition(
    node: ast.DefinitionNode, inaccessible: str, hidden: frozenset[str]
) -> ast.DefinitionNode:
    """Copy a definition without its hidden parts; names of hidden types disappear from lists of types."""
    if not isinstance(node, ast.TypeDefinitionNode):
        return node
    parts: dict[str, object] = {"directives": _directives(node)}
    if isinstance(node, ast.ObjectTypeDefinitionNode | ast.InterfaceTypeDefinitionNode):
        parts["interfaces"] = _visible_names(node.interfaces, hidden)
        parts["fields"] = tuple(
            _rebuilt(
                f,
                directives=_directives(f),
                arguments=tuple(_plain(a) for a in _visible(f.arguments, inaccessible)),
            )
            for f in _visible(node.fields, inaccessible)
        )
    elif isinstance(node, ast.UnionTypeDefinitionNode):
        parts["types"] = _visible_names(node.types, hidden)
    elif isinstance(node, ast.EnumTypeDefinitionNode):
        parts["values"] = tuple(_plain(v) for v in _visible(node.values, inaccessible))
    elif isinstance(node, ast.InputObjectTypeDefinitionNode):
        parts["fields"] = tuple(_plain(f) for f in _visible(node.fields, inaccessible))
    return _rebuilt(node, **parts)


def _plain(node: N) -> N:
    return _rebuilt(node, directives=_directives(node))


def _directives(node: ast.Node) -> tuple[ast.DirectiveNode, ...]:
    """The directives of `node` that clients may see, such as @deprecated."""
    found = getattr(node, "directives", None) or ()
    return tuple(d for d in found if not _is_machinery(d.name.value))


def _visible(nodes: Iterable[N] | None, inaccessible: str) -> Iterable[N]:
    return (n for n in nodes or () if not join.has_directive(n, inaccessible))


def _visible_names(
    nodes: Iterable[ast.NamedTypeNode] | None, hidden: frozenset[str]
) -> tuple[ast.NamedTypeNode, ...]:
    return tuple(n for n in nodes or () if n.name.value not in hidden)


def _rebuilt(node: N, **changes: object) -> N:
    """A copy of an AST node with some parts replaced; the original document is never changed."""
    parts = {key: getattr(node, key) for key in node.keys}
    return type(node)(**{**parts, "loc": node.loc, **changes})
