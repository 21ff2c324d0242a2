"""Prints the merged schema as supergraph SDL (join v0.3, v0.4 with override labels), sorted, so that equal graphs are equal texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trivium_federation.compose.merge.model import (
    FieldRow,
    MergedField,
    MergedInput,
    MergedSchema,
    MergedType,
    TypeRow,
)

_KEYWORDS = {
    "object": "type",
    "interface": "interface",
    "union": "union",
    "enum": "enum",
    "scalar": "scalar",
    "input": "input",
}
_SPEC_URLS = {
    "tag": ("tag/v0.3", ""),
    "inaccessible": ("inaccessible/v0.2", "SECURITY"),
    "authenticated": ("authenticated/v0.1", "SECURITY"),
    "requiresScopes": ("requiresScopes/v0.1", "SECURITY"),
    "policy": ("policy/v0.1", "SECURITY"),
    "cost": ("cost/v0.1", ""),
}
_TAGGABLE = (
    "FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE"
    " | INPUT_OBJECT | INPUT_FIELD_DEFINITION"
)
_GUARDED = "FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM"
_SPEC_DEFINITIONS = {
    "tag": (f"directive @tag(name: String!) repeatable on {_TAGGABLE} | SCHEMA",),
    "inaccessible": (f"directive @inaccessible on {_TAGGABLE}",),
    "authenticated": (f"directive @authenticated on {_GUARDED}",),
    "requiresScopes": (
        f"directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on {_GUARDED}",
        "scalar requiresScopes__Scope",
    ),
    "policy": (f"directive @policy(policies: [[policy__Policy!]!]!) on {_GUARDED}", "scalar policy__Policy"),
    "cost": (
        "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION"
        " | OBJECT | SCALAR",
        "directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!],"
        " requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
    ),
}
# With the import that brings the second directive of the spec under its plain name.
_SPEC_IMPORTS = {"cost": ', import: ["@cost", "@listSize"]'}

_MACHINERY = """\
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE

directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, \
external: Boolean, override: String, usedOverridden: Boolean{label}) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION

directive @join__graph(name: String!, url: String!) on ENUM_VALUE

directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE

directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, \
resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on \
OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR

directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION

directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA

scalar join__FieldSet

scalar link__Import

enum link__Purpose {{
  "Features that routers must know to keep data secure."
  SECURITY
  "Features that routers must know to execute operations."
  EXECUTION
}}"""


def print_definitions(schema: MergedSchema) -> list[str]:
    """The parts of the supergraph SDL; a part that did not change since the last composition is the same text."""
    parts = [_schema(schema), _MACHINERY.format(label=", overrideLabel: String" if schema.has_labels else "")]
    parts += [text for name in sorted(schema.specs) for text in _SPEC_DEFINITIONS[name]]
    if any("@oneOf" in merged.directives for merged in schema.types.values()):
        parts.append("directive @oneOf on INPUT_OBJECT")  # routers on older GraphQL libraries do not know it
    parts += sorted(schema.directive_definitions)
    parts.append(_graphs(schema))
    parts += [_type(schema.types[name]) for name in sorted(schema.types)]
    return parts


def _schema(schema: MergedSchema) -> str:
    version = "v0.4" if schema.has_labels else "v0.3"
    lines = [_described(schema.description, "") + "schema"]
    lines.append('  @link(url: "https://specs.apollo.dev/link/v1.0")')
    lines.append(f'  @link(url: "https://specs.apollo.dev/join/{version}", for: EXECUTION)')
    for name in sorted(schema.specs):
        url, purpose = _SPEC_URLS[name]
        end = f", for: {purpose}" if purpose else ""
        lines.append(f'  @link(url: "https://specs.apollo.dev/{url}"{_SPEC_IMPORTS.get(name, "")}{end})')
    lines += [f"  {link}" for link in schema.links]
    lines += [f"  {directive}" for directive in schema.schema_directives]
    lines.append("{")
    for operation in ("query", "mutation", "subscription"):
        if operation in schema.roots:
            lines.append(f"  {operation}: {schema.roots[operation]}")
    return "\n".join([*lines, "}"])


def _graphs(schema: MergedSchema) -> str:
    rows = [
        f"  {graph} @join__graph(name: {_quoted(name)}, url: {_quoted(url)})"
        for graph, name, url in schema.graphs
    ]
    return "\n".join(["enum join__Graph {", *rows, "}"])


def _type(merged: MergedType) -> str:
    head = f"{_described(merged.description, '')}{_KEYWORDS[merged.kind]} {merged.name}"
    if merged.interfaces:
        head += " implements " + " & ".join(merged.interfaces)
    lines = [head]
    lines += [f"  {row}" for row in _type_rows(merged)]
    lines += [f"  {directive}" for directive in merged.directives]
    body = list(_body(merged))
    if merged.kind == "union":
        return "\n".join(lines) + "\n = " + " | ".join(merged.union_members)
    if body:
        return "\n".join([*lines, "{", *body, "}"])
    return "\n".join(lines)


def _body(merged: MergedType) -> Iterator[str]:
    for item in merged.fields.values():
        yield _field(item)
    for value in merged.inputs.values():
        yield _input(value, "  ") + _joined(_field_rows(value.rows))
    for enum_value in merged.values.values():
        joins = [f"@join__enumValue(graph: {graph})" for graph in enum_value.graphs]
        yield f"{_described(enum_value.description, '  ')}  {enum_value.name}{_joined([*joins, *enum_value.directives])}"


def _type_rows(merged: MergedType) -> Iterator[str]:
    for row in merged.rows:
        yield f"@join__type({', '.join(_type_row(row))})"
    for graph, interface in merged.implements:
        yield f"@join__implements(graph: {graph}, interface: {_quoted(interface)})"
    for graph, member in merged.members:
        yield f"@join__unionMember(graph: {graph}, member: {_quoted(member)})"


def _type_row(row: TypeRow) -> Iterator[str]:
    yield f"graph: {row.graph}"
    if row.key is not None:
        yield f"key: {_quoted(row.key)}"
    if row.is_extension:
        yield "extension: true"
    if not row.is_resolvable:
        yield "resolvable: false"
    if row.is_interface_object:
        yield "isInterfaceObject: true"


def _field(item: MergedField) -> str:
    arguments = ""
    if item.arguments:
        if any(argument.description for argument in item.arguments.values()):
            arguments = (
                "(\n" + "\n".join(_input(a, "    ") + _joined([]) for a in item.arguments.values()) + "\n  )"
            )
        else:
            arguments = "(" + ", ".join(_input(a, "") for a in item.arguments.values()) + ")"
    rows = _joined([*_field_rows(item.rows), *item.directives])
    return f"{_described(item.description, '  ')}  {item.name}{arguments}: {item.type}{rows}"


def _input(value: MergedInput, indent: str) -> str:
    text = f"{_described(value.description, indent)}{indent}{value.name}: {value.type}"
    if value.default is not None:
        text += f" = {value.default}"
    return text + _joined(value.directives)


def _field_rows(rows: Iterable[FieldRow]) -> list[str]:
    found: list[str] = []
    for row in rows:
        said = ", ".join(_field_row(row))
        found.append(f"@join__field({said})" if said else "@join__field")
    return found


def _field_row(row: FieldRow) -> Iterator[str]:
    texts = {"requires": row.requires, "provides": row.provides, "type": row.type}
    if row.graph is not None:
        yield f"graph: {row.graph}"
    for name, text in texts.items():
        if text is not None:
            yield f"{name}: {_quoted(text)}"
    if row.is_external:
        yield "external: true"
    if row.override is not None:
        yield f"override: {_quoted(row.override)}"
    if row.is_used_overridden:
        yield "usedOverridden: true"
    if row.override_label is not None:
        yield f"overrideLabel: {_quoted(row.override_label)}"


def _joined(parts: list[str]) -> str:
    return "".join(f" {part}" for part in parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _described(text: str | None, indent: str) -> str:
    """A description above the line it belongs to."""
    if not text:
        return ""
    escaped = text.replace('"""', '\\"""')
    lines = "\n".join(f"{indent}{line}" if line else "" for line in escaped.split("\n"))
    return f'{indent}"""\n{lines}\n{indent}"""\n'
