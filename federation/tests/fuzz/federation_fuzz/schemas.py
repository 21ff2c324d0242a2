"""Schemas written from a supergraph: everything, what clients see, and what one subgraph has."""

import re
from collections.abc import Iterable

from graphql import GraphQLSchema, build_schema, print_ast

from federation_fuzz.supergraph import Argument, Field, Supergraph, Type, is_built_in


def build_full_schema(supergraph: Supergraph) -> GraphQLSchema:
    """Every type, field and argument, whoever may see it."""
    return _build(supergraph, [_print(t, t.fields.values(), t.interfaces) for t in supergraph.types.values()])


def build_client_schema(supergraph: Supergraph) -> GraphQLSchema:
    """What clients see: nothing inaccessible, and nothing that only leads to it."""
    hidden = {t.name for t in supergraph.types.values() if t.is_inaccessible}
    printed = []
    for t in supergraph.types.values():
        if t.name in hidden:
            continue
        fields = [f for f in t.fields.values() if not f.is_inaccessible]
        interfaces = [name for name in t.interfaces if name not in hidden]
        members = (
            [name for name in supergraph.possible_types(t.name) if name not in hidden]
            if t.kind == "union"
            else []
        )
        printed.append(_print(t, fields, interfaces, members=members, with_hidden=False))
    return _build(supergraph, printed)


def build_subgraph_schema(supergraph: Supergraph, graph: str) -> GraphQLSchema:
    """What one subgraph serves, with `_entities` for its keys; external fields are there, to be refused."""
    printed = ["scalar _Any"]
    entities: set[str] = set()
    for t in supergraph.types.values():
        if not supergraph.has_type(t.name, graph):
            continue
        if supergraph.keys(t.name, graph):
            entities |= _entity_types(supergraph, t, graph)
        printed.append(_print_in_graph(supergraph, t, graph))
    if entities:
        printed.append("union _Entity = " + " | ".join(sorted(entities)))
        query = supergraph.roots["query"]
        printed.append(f"extend type {query} {{ _entities(representations: [_Any!]!): [_Entity]! }}")
    return _build(supergraph, printed)


def _entity_types(supergraph: Supergraph, t: Type, graph: str) -> set[str]:
    if t.kind == "object" or supergraph.is_interface_object(t.name, graph):
        return {t.name}
    return set(supergraph.possible_types_in(t.name, graph))


def _print_in_graph(supergraph: Supergraph, t: Type, graph: str) -> str:
    if t.kind in ("object", "interface"):
        fields = []
        for f in t.fields.values():
            view = supergraph.field_view(t.name, f.name, graph)
            if view:
                fields.append(Field(f.name, view.type, f.arguments, (), False))
        interfaces = [name for in_graph, name in sorted(t.implements) if in_graph == graph]
        kind = "object" if supergraph.is_interface_object(t.name, graph) else t.kind
        return _print(t, fields, interfaces, kind=kind, graph=graph)
    return _print(t, (), (), members=sorted(t.members.get(graph, ())), graph=graph)


def _print(
    t: Type,
    fields: Iterable[Field],
    interfaces: Iterable[str],
    *,
    kind: str | None = None,
    members: Iterable[str] = (),
    with_hidden: bool = True,
    graph: str | None = None,
) -> str:
    kind = kind or t.kind
    if kind in ("object", "interface"):
        implemented = " & ".join(interfaces)
        head = ("type " if kind == "object" else "interface ") + t.name
        lines = [_print_field(f, with_hidden) for f in fields]
        body = " { " + "\n".join(lines) + " }" if lines else ""
        return head + (f" implements {implemented}" if implemented else "") + body
    if kind == "union":
        names = list(members) or sorted(set().union(*t.members.values()))
        return f"union {t.name} = " + " | ".join(names)
    if kind == "enum":
        values = [
            value
            for value, (graphs, is_hidden) in t.values.items()
            if (with_hidden or not is_hidden) and (graph is None or graphs is None or graph in graphs)
        ]
        return f"enum {t.name} {{ {' '.join(values)} }}"
    if kind == "input":
        kept = [a for a in t.inputs.values() if graph is None or a.graphs is None or graph in a.graphs]
        return f"input {t.name} {{ {_print_arguments(kept, with_hidden)} }}"
    return f"scalar {t.name}"


def _print_field(f: Field, with_hidden: bool) -> str:
    arguments = _print_arguments(f.arguments, with_hidden)
    return f"{f.name}{f'({arguments})' if arguments else ''}: {print_ast(f.type)}"


def _print_arguments(arguments: Iterable[Argument], with_hidden: bool) -> str:
    printed = []
    for argument in arguments:
        if with_hidden or not argument.is_inaccessible:
            default = argument.node.default_value
            text = f"{argument.name}: {print_ast(argument.node.type)}"
            printed.append(text + (f" = {print_ast(default)}" if default else ""))
    return ", ".join(printed)


def _build(supergraph: Supergraph, printed: list[str]) -> GraphQLSchema:
    own = [text for text in printed if not is_built_in(text.removeprefix("scalar "))]
    present = "\n".join(own)
    roots = [
        f"{operation}: {name}"
        for operation, name in supergraph.roots.items()
        if re.search(rf"^type {name}\b", present, re.MULTILINE) and operation != "subscription"
    ]
    return build_schema(
        present + f"\nschema {{ {' '.join(roots)} }}", assume_valid=True, assume_valid_sdl=True
    )
