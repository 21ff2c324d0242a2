"""Reads @link: which specs a schema uses, in which version, and what it calls their directives and types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graphql import value_from_ast_untyped
from graphql.language import ast

from trivium_federation.compose.directives import (
    FEDERATION_TYPES,
    GRAPHQL_DIRECTIVES,
    KNOWN,
    NEWEST,
    SPECS,
    Version,
    known_in,
)

_URL = re.compile(
    r"^(?P<identity>https?://.*?(?P<name>[A-Za-z_][\w-]*))(?:/v(?P<major>\d+)\.(?P<minor>\d+))?/?$"
)
_APOLLO = "https://specs.apollo.dev/"
_FEDERATION_1 = frozenset({"key", "requires", "provides", "external", "extends", "tag"})


@dataclass(frozen=True, slots=True)
class Feature:
    """A linked spec. `prefix` namespaces what is not imported; `imports` maps the spec's names to the schema's."""

    url: str
    identity: str
    name: str
    version: Version
    prefix: str
    imports: dict[str, str]
    purpose: str | None
    node: ast.DirectiveNode

    @property
    def is_federation(self) -> bool:
        """Whether this is the federation spec itself."""
        return self.identity == _APOLLO + "federation"

    def local_directives(self) -> Iterator[tuple[str, str]]:
        """The spec's names of directives with the schema's names, for all that are imported."""
        for name, local in self.imports.items():
            if name.startswith("@"):
                yield name[1:], local[1:]


@dataclass(slots=True)
class Links:
    """All specs of one schema. Without the federation spec it is a federation 1 schema."""

    features: list[Feature] = field(default_factory=list)
    faults: list[tuple[str, str, ast.Node]] = field(default_factory=list)
    link_name: str = "link"

    @property
    def federation(self) -> Feature | None:
        """The federation spec, if linked."""
        return next((f for f in self.features if f.is_federation), None)

    @property
    def is_federation_2(self) -> bool:
        """Whether the schema says that it is one of federation 2."""
        return self.federation is not None

    @property
    def version(self) -> Version:
        """The federation version; 1.0 without a link."""
        feature = self.federation
        return feature.version if feature is not None else (1, 0)

    def known_directive(self, local: str) -> str | None:
        """The federation directive that the schema calls `local`, or None if it is none of them."""
        if local in GRAPHQL_DIRECTIVES:
            return local
        if not self.is_federation_2 and local in _FEDERATION_1:
            return local
        found = self.feature_of(local)
        if found is None:
            return None
        feature, name = found
        if feature.is_federation:
            return name if name in known_in(feature.version) else None
        if feature.identity == _APOLLO + feature.name and name in SPECS.get(feature.name, ()):
            return name
        return None

    def feature_of(self, local: str) -> tuple[Feature, str] | None:
        """The feature that brings directive `local`, with the directive's name in its spec."""
        for feature in self.features:
            for name, imported in feature.local_directives():
                if imported == local:
                    return feature, name
            if local == feature.prefix:
                return feature, feature.name
            if local.startswith(feature.prefix + "__"):
                return feature, local.removeprefix(feature.prefix + "__")
        return None

    def local_names(self) -> dict[str, list[str]]:
        """For each known directive, every name under which this schema may use it."""
        names: dict[str, list[str]] = {}
        if not self.is_federation_2:
            for name in _FEDERATION_1:
                names.setdefault(name, []).append(name)
        for feature in self.features:
            if feature.is_federation:
                brought = known_in(feature.version)
            elif feature.identity == _APOLLO + feature.name:
                brought = SPECS.get(feature.name, frozenset())
            else:
                continue
            imported = dict(feature.local_directives())
            for name in brought:
                local = imported.get(name)
                if local is None:
                    local = feature.prefix if name == feature.name else f"{feature.prefix}__{name}"
                names.setdefault(name, []).append(local)
        return names

    def is_machinery_type(self, name: str) -> bool:
        """Whether a type belongs to a linked spec of Apollo's and is no type of the graph."""
        for feature in self.features:
            if not feature.identity.startswith(_APOLLO):
                continue
            if name.startswith(feature.prefix + "__"):
                return True
            if any(local == name for key, local in feature.imports.items() if not key.startswith("@")):
                return True
        return name.startswith(("link__", "core__", "federation__"))


def read_links(document: ast.DocumentNode) -> Links:
    """All @link and @core of a document; what is wrong with them is in `faults`."""
    links = Links()
    uses = [
        d
        for node in document.definitions
        if isinstance(node, ast.SchemaDefinitionNode | ast.SchemaExtensionNode)
        for d in node.directives or ()
    ]
    links.link_name = _link_name(uses)
    for node in uses:
        if node.name.value in (links.link_name, "core"):
            _read_link(node, links)
    return links


def _link_name(uses: Sequence[ast.DirectiveNode]) -> str:
    """What the schema calls @link: the link spec may link itself under another name."""
    for node in uses:
        given = _given(node)
        if str(given.get("url", "")).startswith(_APOLLO + "link/") and given.get("as") == node.name.value:
            return node.name.value
    return "link"


def _given(node: ast.DirectiveNode) -> dict[str, object]:
    return {a.name.value: value_from_ast_untyped(a.value) for a in node.arguments or ()}


def _read_link(node: ast.DirectiveNode, links: Links) -> None:
    given = _given(node)
    url = given.get("url") or given.get("feature")
    if not isinstance(url, str):
        links.faults.append(("INVALID_LINK_DIRECTIVE_USAGE", "@link needs a url", node))
        return
    match = _URL.match(url)
    if match is None:
        return  # some other tool's business: nothing here can come from it
    version = (int(match["major"] or 0), int(match["minor"] or 0))
    prefix = given.get("as")
    imports = _imports(given.get("import"), node, links)
    purpose = given.get("for")
    feature = Feature(
        url=url,
        identity=match["identity"],
        name=match["name"],
        version=version,
        prefix=str(prefix) if prefix else match["name"],
        imports=imports,
        purpose=str(purpose) if purpose else None,
        node=node,
    )
    _check_feature(feature, links)
    links.features.append(feature)


def _check_feature(feature: Feature, links: Links) -> None:
    if any(f.identity == feature.identity for f in links.features):
        links.faults.append(
            ("INVALID_LINK_DIRECTIVE_USAGE", f"{feature.identity} is linked twice", feature.node)
        )
    if "__" in feature.prefix or not re.fullmatch(r"[A-Za-z_]\w*", feature.prefix.replace("-", "_")):
        links.faults.append(
            ("INVALID_LINK_IDENTIFIER", f"{feature.prefix!r} cannot be a prefix", feature.node)
        )
    if not feature.is_federation:
        return
    if not (2, 0) <= feature.version <= NEWEST:
        message = f"{feature.url!r} is no version of federation that this composer knows"
        links.faults.append(("UNKNOWN_FEDERATION_LINK_VERSION", message, feature.node))
        return
    known = known_in(feature.version)
    for name, local in feature.imports.items():
        if name.startswith("@") and name[1:] not in known:
            since = KNOWN.get(name[1:])
            message = f"federation v{feature.version[0]}.{feature.version[1]} has no {name}"
            if since is not None:
                message += f"; it came with v{since.since[0]}.{since.since[1]}"
            links.faults.append(("INVALID_LINK_DIRECTIVE_USAGE", message, feature.node))
        elif not name.startswith("@") and name not in FEDERATION_TYPES:
            suggestion = f"; did you mean @{name}?" if name in known else ""
            message = f"federation has no type {name}{suggestion}"
            links.faults.append(("INVALID_LINK_DIRECTIVE_USAGE", message, feature.node))
        elif name.startswith("@") is not local.startswith("@"):
            message = f"{name} and {local} must both be directives, or both types"
            links.faults.append(("INVALID_LINK_DIRECTIVE_USAGE", message, feature.node))


def _imports(given: object, node: ast.DirectiveNode, links: Links) -> dict[str, str]:
    found: dict[str, str] = {}
    if given is None:
        return found
    for entry in given if isinstance(given, list) else [given]:
        if isinstance(entry, str):
            found[entry] = entry
        elif isinstance(entry, dict) and isinstance(entry.get("name"), str):
            found[entry["name"]] = str(entry.get("as") or entry["name"])
        else:
            message = f"{entry!r} is no import: write a name, or {{name: ..., as: ...}}"
            links.faults.append(("INVALID_LINK_DIRECTIVE_USAGE", message, node))
    return found
