"""Is the subgraph a valid GraphQL schema, its federation directives included? graphql-core decides, we add the places."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from graphql import GraphQLError, build_ast_schema, validate_schema
from graphql.language import ast
from graphql.validation.validate import validate_sdl

from trivium_federation.compose.directives import (
    KNOWN,
    SUPPORTING_SCALARS,
    definition_of,
    supporting_definitions,
)
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import Source, SourceType

_DEFINITIONS: dict[str, Callable[..., ast.TypeDefinitionNode]] = {
    "object": ast.ObjectTypeDefinitionNode,
    "interface": ast.InterfaceTypeDefinitionNode,
    "union": ast.UnionTypeDefinitionNode,
    "enum": ast.EnumTypeDefinitionNode,
    "scalar": ast.ScalarTypeDefinitionNode,
    "input": ast.InputObjectTypeDefinitionNode,
}
# Federation allows these in a subgraph: a query root may be missing, and what is only extended here is defined elsewhere.
# Newer GraphQL wants deprecation on interfaces too; servers of subgraphs seldom do.
NEWER_RULE = "must not be deprecated"
_ALLOWED = ("Query root type must be provided", "Type with name 'Query' does not exist")


def check_graphql(source: Source, problems: Problems) -> None:
    """Add INVALID_GRAPHQL for whatever GraphQL itself forbids in this subgraph."""
    document = _plain_document(source)
    errors = list(validate_sdl(document))
    if not errors:
        try:
            errors = validate_schema(build_ast_schema(document, assume_valid_sdl=True))
        except (GraphQLError, TypeError, ValueError) as failed:
            errors = [failed if isinstance(failed, GraphQLError) else GraphQLError(str(failed))]
    for fault in errors:
        if fault.message.startswith(_ALLOWED) or NEWER_RULE in fault.message:
            continue
        nodes: list[ast.Node | None] = [node for node in fault.nodes or () if node.loc is not None]
        message = _explain(source, fault.message)
        problems.error("INVALID_GRAPHQL", message, *[source.place(node) for node in nodes[:1] or [None]])


def _explain(source: Source, message: str) -> str:
    """Unknown directives of federation are the most common mistake: say how to get them."""
    if message.startswith("Unknown directive '@"):
        name = message.split("'")[1].rstrip("'.").lstrip("@")
        if not source.links.is_federation_2 and name in KNOWN:
            return f"{message} Without @link to the federation spec this is a schema of federation 1, which has no @{name}."
        if source.links.is_federation_2:
            return f"{message} A directive of federation must be in the `import` of its @link, or be written @federation__{name}."
    return message


def _plain_document(source: Source) -> ast.DocumentNode:
    definitions: list[ast.DefinitionNode] = []
    if source.roots:
        definitions.append(_schema(source))
    known = {local for names in source.links.local_names().values() for local in names}
    for name, locals_ in source.links.local_names().items():
        definitions += [
            _narrowed(source, definition_of(name, local, source.links.version)) for local in locals_
        ]
    definitions += supporting_definitions()
    definitions += [
        node
        for name, node in source.directive_definitions.items()
        if name not in known and name not in (source.links.link_name, "core") and not _is_linked(source, name)
    ]
    # A linked spec of somebody else: its directives need no definition here unless they are composed.
    definitions += [
        _type(info)
        for info in source.types.values()
        if info.name not in SUPPORTING_SCALARS and not _is_empty_query(info)
    ]
    return ast.DocumentNode(definitions=tuple(definitions))


def _narrowed(source: Source, definition: ast.DirectiveDefinitionNode) -> ast.DirectiveDefinitionNode:
    """The definition, at fewer places where the schema's own one says so."""
    own = source.directive_definitions.get(definition.name.value)
    if own is None:
        return definition
    return ast.DirectiveDefinitionNode(
        name=definition.name,
        arguments=definition.arguments,
        repeatable=definition.repeatable and own.repeatable,
        locations=own.locations,
    )


def _is_linked(source: Source, directive: str) -> bool:
    found = source.links.feature_of(directive)
    return found is not None and found[0].identity.startswith("https://specs.apollo.dev/")


def _is_empty_query(info: SourceType) -> bool:
    return info.name == "Query" and not info.fields


def _schema(source: Source) -> ast.SchemaDefinitionNode:
    roots = {
        o: n for o, n in source.roots.items() if n in source.types and not _is_empty_query(source.types[n])
    }
    return ast.SchemaDefinitionNode(
        directives=tuple(
            d.node for d in source.schema_directives if d.local_name not in (source.links.link_name, "core")
        ),
        operation_types=tuple(
            ast.OperationTypeDefinitionNode(
                operation=ast.OperationType(operation),
                type=ast.NamedTypeNode(name=ast.NameNode(value=name)),
            )
            for operation, name in roots.items()
        ),
    )


def _type(info: SourceType) -> ast.TypeDefinitionNode:
    """The type as one definition, with the nodes (and places) of the original."""
    parts: dict[str, object] = {
        "name": ast.NameNode(value=info.name),
        "directives": tuple(d.node for d in info.directives),
        "loc": info.nodes[0].loc,
    }
    if info.kind in ("object", "interface"):
        parts["fields"] = tuple(_renamed(f.node, f.type.name) for f in info.fields.values())
        parts["interfaces"] = tuple(info.interfaces.values())
    elif info.kind == "union":
        parts["types"] = tuple(
            ast.NamedTypeNode(name=ast.NameNode(value=m), loc=n.loc) for m, n in info.members.items()
        )
    elif info.kind == "enum":
        parts["values"] = tuple(v.node for v in info.values.values())
    elif info.kind == "input":
        parts["fields"] = tuple(i.node for i in info.inputs.values())
    return _DEFINITIONS[info.kind](**parts)


def _renamed(node: ast.FieldDefinitionNode, type_name: str) -> ast.FieldDefinitionNode:
    """Fields that return a root type must use its new name."""
    named = next(_named_nodes(node.type))
    if named.name.value == type_name:
        return node
    replaced = ast.NamedTypeNode(name=ast.NameNode(value=type_name), loc=named.loc)
    return ast.FieldDefinitionNode(
        name=node.name, arguments=node.arguments, directives=node.directives, type=replaced, loc=node.loc
    )


def _named_nodes(node: ast.TypeNode) -> Iterator[ast.NamedTypeNode]:
    if isinstance(node, ast.NamedTypeNode):
        yield node
    elif isinstance(node, ast.NonNullTypeNode | ast.ListTypeNode):
        yield from _named_nodes(node.type)
