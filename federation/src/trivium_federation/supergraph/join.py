"""The join, link and core directives of a supergraph: which subgraph says what of a type or field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from graphql import parse_type, value_from_ast_untyped
from graphql.language import ast

from trivium_federation.errors import SupergraphError
from trivium_federation.supergraph.model import JoinField, JoinType, Key, Subgraph, TypeRef

_URL = re.compile(r"^https?://[^/]+/(?:[^/]+/)*(?P<name>[A-Za-z_][\w-]*)/v(?P<version>\d+\.\d+)/?$")
_JOIN_VERSIONS = ("0.1", "0.2", "0.3", "0.4", "0.5")
# Specs whose directives change nothing that the engine does, so any version of them may be marked `for: EXECUTION`.
_HARMLESS = ("tag", "cost", "federation", "connect")
_SUPPORTED = {
    "join": _JOIN_VERSIONS,
    "link": ("1.0",),
    "core": ("0.1", "0.2"),
    "inaccessible": ("0.1", "0.2"),
    "authenticated": ("0.1",),
    "requiresScopes": ("0.1",),
    "policy": ("0.1",),
}


@dataclass(frozen=True, slots=True)
class Specs:
    """Versions and local names of the specs that the supergraph links."""

    join_version: str
    inaccessible: str


def error_at(node: ast.Node, message: str) -> SupergraphError:
    """A SupergraphError with the line and column of `node`."""
    location = node.loc
    if location is None:
        return SupergraphError(message)
    return SupergraphError(message, location.start_token.line, location.start_token.column)


def directives(node: ast.Node, name: str) -> Iterator[dict[str, object]]:
    """The arguments of each use of `@name` on `node`."""
    for directive in getattr(node, "directives", None) or ():
        if directive.name.value == name:
            yield {a.name.value: value_from_ast_untyped(a.value) for a in directive.arguments or ()}


def has_directive(node: ast.Node, name: str) -> bool:
    """Whether `@name` is used on `node`."""
    return any(d.name.value == name for d in getattr(node, "directives", None) or ())


def type_ref(node: ast.TypeNode) -> TypeRef:
    """An AST type reference as a `TypeRef`."""
    if isinstance(node, ast.NonNullTypeNode):
        return replace(type_ref(node.type), non_null=True)
    if isinstance(node, ast.ListTypeNode):
        item = type_ref(node.type)
        return TypeRef(item.name, non_null=False, item=item)
    assert isinstance(node, ast.NamedTypeNode)  # noqa: S101 - the grammar has no fourth case
    return TypeRef(node.name.value, non_null=False)


def read_specs(document: ast.DocumentNode) -> Specs:
    """Check every linked spec. Raises: SupergraphError for one that must be understood and is not."""
    version, inaccessible = "", "inaccessible"
    for node in document.definitions:
        if not isinstance(node, ast.SchemaDefinitionNode | ast.SchemaExtensionNode):
            continue
        for directive in node.directives or ():
            if directive.name.value not in ("link", "core"):
                continue
            given = {a.name.value: value_from_ast_untyped(a.value) for a in directive.arguments or ()}
            name, found = _check_spec(directive, given)
            if name == "join":
                version = found
            elif name == "inaccessible":
                inaccessible = _imported_name(given, "inaccessible")
    if not version:
        raise SupergraphError("the schema does not link the join spec: this is not a supergraph")
    return Specs(version, inaccessible)


def _check_spec(node: ast.DirectiveNode, given: dict[str, object]) -> tuple[str, str]:
    url = str(given.get("url") or given.get("feature") or "")
    match = _URL.match(url)
    name, version = (match["name"], match["version"]) if match else (url, "")
    known = _SUPPORTED.get(name)
    must_understand = name == "join" or given.get("for") in ("EXECUTION", "SECURITY")
    if must_understand and name not in _HARMLESS and (known is None or version not in known):
        raise error_at(node, f"the supergraph needs {url!r}, which this engine does not know")
    return name, version


def _imported_name(given: dict[str, object], name: str) -> str:
    imports = given.get("import")
    for entry in imports if isinstance(imports, list) else ():
        if isinstance(entry, dict) and entry.get("name") == f"@{name}" and entry.get("as"):
            return str(entry["as"]).lstrip("@")
    return str(given.get("as") or name)


class JoinReader:
    """Reads the join directives of one document, whose version decides what silence means."""

    def __init__(
        self, version: str, subgraphs: dict[str, Subgraph], definitions: Iterable[ast.TypeDefinitionNode]
    ) -> None:
        self._version = version
        self._subgraphs = subgraphs
        self._names = {s.name: s.id for s in subgraphs.values()}
        # v0.1 and v0.2 may leave value types without @join__type; from v0.3 on every type has one.
        self._is_sparse = version in ("0.1", "0.2")
        self._owners = {
            node.name.value: str(owner["graph"])
            for node in definitions
            for owner in directives(node, "join__owner")
        }

    def types_of(self, node: ast.TypeDefinitionNode) -> dict[str, JoinType]:
        """The subgraphs that declare a type, with their keys."""
        found: dict[str, JoinType] = {}
        for given in directives(node, "join__type"):
            graph = self._graph(node, given)
            before = found.get(graph, JoinType((), is_interface_object=False))
            keys = before.keys
            if given.get("key") is not None:
                keys = (*keys, Key(str(given["key"]), given.get("resolvable") is not False))
            is_object = before.is_interface_object or given.get("isInterfaceObject") is True
            found[graph] = JoinType(keys, is_object)
        if not found and self._is_sparse:
            return {graph: JoinType((), is_interface_object=False) for graph in self._subgraphs}
        return found

    def interfaces_of(
        self,
        node: ast.ObjectTypeDefinitionNode | ast.InterfaceTypeDefinitionNode,
        joins: dict[str, JoinType],
    ) -> dict[str, frozenset[str]]:
        """Each interface of the type, with the subgraphs that say so."""
        found: dict[str, set[str]] = {i.name.value: set() for i in node.interfaces or ()}
        for given in directives(node, "join__implements"):
            found.setdefault(str(given["interface"]), set()).add(self._graph(node, given))
        if self._is_sparse and not any(found.values()):
            return {name: frozenset(joins) for name in found}
        return {name: frozenset(graphs) for name, graphs in found.items()}

    def members_of(
        self, node: ast.UnionTypeDefinitionNode, joins: dict[str, JoinType]
    ) -> dict[str, frozenset[str]]:
        """Each member of the union, with the subgraphs that say so."""
        found: dict[str, set[str]] = {m.name.value: set() for m in node.types or ()}
        for given in directives(node, "join__unionMember"):
            found.setdefault(str(given["member"]), set()).add(self._graph(node, given))
        if not any(found.values()):
            return {name: frozenset(joins) for name in found}
        return {name: frozenset(graphs) for name, graphs in found.items()}

    def fields_of(
        self, node: ast.FieldDefinitionNode, parent: ast.TypeDefinitionNode, joins: dict[str, JoinType]
    ) -> dict[str, JoinField]:
        """What each subgraph says of a field; subgraphs that do not have it are absent."""
        merged = type_ref(node.type)
        rows = list(directives(node, "join__field"))
        if not rows:
            return {graph: JoinField(merged) for graph in self._silent(node, parent, joins)}
        found: dict[str, JoinField] = {}
        for given in rows:
            if given.get("graph") is None:
                continue  # contributed by an interface object: no subgraph has it on the object itself
            found[self._graph(node, given)] = JoinField(
                type=type_ref(parse_type(str(given["type"]))) if given.get("type") else merged,
                is_external=given.get("external") is True,
                is_overridden=given.get("usedOverridden") is True,
                requires=_text(given.get("requires")),
                provides=_text(given.get("provides")),
                override_from=_text(given.get("override")),
                override_label=_text(given.get("overrideLabel")),
            )
        return self._drop_overridden(found)

    def _silent(
        self, node: ast.FieldDefinitionNode, parent: ast.TypeDefinitionNode, joins: dict[str, JoinType]
    ) -> Iterable[str]:
        """Where a field without @join__field is: everywhere, or (v0.1) at the owner and where it is a key."""
        owner = self._owners.get(parent.name.value)
        if owner is None:
            return joins
        pattern = re.compile(rf"\b{re.escape(node.name.value)}\b")
        keyed = [g for g, j in joins.items() if any(pattern.search(k.fields) for k in j.keys)]
        return dict.fromkeys([owner, *keyed])

    def _drop_overridden(self, rows: dict[str, JoinField]) -> dict[str, JoinField]:
        """Mark rows that another subgraph overrides without a label; a name that no subgraph has overrides nothing."""
        for row in list(rows.values()):
            source = self._names.get(row.override_from or "")
            if source in rows and row.override_label is None:
                rows[source] = replace(rows[source], is_overridden=True)
            elif source in rows and rows[source].override_label is None:
                rows[source] = replace(rows[source], override_label=row.override_label)
        return rows

    def _graph(self, node: ast.Node, given: dict[str, object]) -> str:
        graph = str(given.get("graph"))
        if graph not in self._subgraphs:
            raise error_at(node, f"join__Graph has no value {graph}")
        return graph


def _text(value: object) -> str | None:
    return str(value) if value is not None else None
