"""The directives that composition knows: where each may stand, its arguments, and the federation version it came with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from graphql import parse
from graphql.language import ast

Version = tuple[int, int]
NEWEST: Version = (2, 11)
LABELS_SINCE: Version = (2, 7)


@dataclass(frozen=True, slots=True)
class KnownDirective:
    """A federation directive. `text` is its definition after the name; `{F}` stands for the field set scalar."""

    name: str
    since: Version
    text: str


_TAGGABLE = (
    "OBJECT | FIELD_DEFINITION | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE"
    " | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
_GUARDED = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"

_ALL = (
    KnownDirective(
        "key", (1, 0), "(fields: {F}!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE"
    ),
    KnownDirective("requires", (1, 0), "(fields: {F}!) on FIELD_DEFINITION"),
    KnownDirective("provides", (1, 0), "(fields: {F}!) on FIELD_DEFINITION"),
    KnownDirective("external", (1, 0), "(reason: String) on OBJECT | FIELD_DEFINITION"),
    KnownDirective("extends", (1, 0), "on OBJECT | INTERFACE"),
    KnownDirective("tag", (1, 0), f"(name: String!) repeatable on {_TAGGABLE} | SCHEMA"),
    KnownDirective("inaccessible", (2, 0), f"on {_TAGGABLE}"),
    KnownDirective("shareable", (2, 0), "repeatable on OBJECT | FIELD_DEFINITION"),
    KnownDirective("override", (2, 0), "(from: String!, label: String) on FIELD_DEFINITION"),
    KnownDirective("composeDirective", (2, 1), "(name: String!) repeatable on SCHEMA"),
    KnownDirective("interfaceObject", (2, 3), "on OBJECT"),
    KnownDirective("authenticated", (2, 5), f"on {_GUARDED}"),
    KnownDirective("requiresScopes", (2, 5), f"(scopes: [[federation__Scope!]!]!) on {_GUARDED}"),
    KnownDirective("policy", (2, 6), f"(policies: [[federation__Policy!]!]!) on {_GUARDED}"),
    KnownDirective("context", (2, 8), "(name: String!) repeatable on INTERFACE | OBJECT | UNION"),
    KnownDirective("fromContext", (2, 8), "(field: federation__ContextFieldValue) on ARGUMENT_DEFINITION"),
    KnownDirective(
        "cost",
        (2, 9),
        "(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR",
    ),
    KnownDirective(
        "listSize",
        (2, 9),
        "(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
        " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
    ),
)
KNOWN: dict[str, KnownDirective] = {d.name: d for d in _ALL}

# Specs that are linked on their own, and the directives they bring.
FEDERATION_TYPES = frozenset({"FieldSet", "Scope", "Policy", "ContextFieldValue"})
SPECS: dict[str, frozenset[str]] = {
    "tag": frozenset({"tag"}),
    "inaccessible": frozenset({"inaccessible"}),
    "authenticated": frozenset({"authenticated"}),
    "requiresScopes": frozenset({"requiresScopes"}),
    "policy": frozenset({"policy"}),
    "cost": frozenset({"cost", "listSize"}),
}
GRAPHQL_DIRECTIVES = frozenset({"deprecated", "specifiedBy", "oneOf", "skip", "include"})
# What the schema prints of federation's own: never a type of the graph.
MACHINERY_TYPES = frozenset({"_Service", "_Entity", "_Any", "_FieldSet"})
MACHINERY_FIELDS = frozenset({"_entities", "_service"})
SUPPORTING_SCALARS = (
    "federation__FieldSet",
    "federation__Scope",
    "federation__Policy",
    "federation__ContextFieldValue",
)


def known_in(version: Version) -> frozenset[str]:
    """The directives that a schema linking this federation version may use."""
    return frozenset(d.name for d in _ALL if d.since <= version)


@cache
def definition_of(name: str, local_name: str, version: Version = NEWEST) -> ast.DirectiveDefinitionNode:
    """The definition of a known directive in a federation version, under the name that a schema gives it."""
    text = KNOWN[name].text.replace("{F}", "federation__FieldSet")
    if name == "override" and version < LABELS_SINCE:
        text = text.replace(", label: String", "")
    node = parse(
        f"directive @{local_name}{text}" if text[0] == "(" else f"directive @{local_name} {text}",
        no_location=True,
    )
    definition = node.definitions[0]
    assert isinstance(definition, ast.DirectiveDefinitionNode)  # noqa: S101 - that is what was written
    return definition


@cache
def supporting_definitions() -> tuple[ast.DefinitionNode, ...]:
    """The scalars that those definitions need."""
    return parse("\n".join(f"scalar {name}" for name in SUPPORTING_SCALARS), no_location=True).definitions
