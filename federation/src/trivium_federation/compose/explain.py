"""Words for a field that cannot be reached: an operation that asks for it, and why each way ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trivium_federation.planner.graph import Node, SchemaGraph
from trivium_federation.supergraph.model import Argument, Field, Supergraph, TypeRef

_SAMPLES = {"Int": "0", "Float": "0.5", "String": '"A"', "Boolean": "true", "ID": '"1"'}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an operation: its kind, a field, or `... on T`."""

    text: str
    field: Field | None = None


def print_operation(supergraph: Supergraph, steps: Sequence[Step]) -> str:
    """The operation that takes these steps, ready to be sent."""
    lines: list[str] = []
    for depth, step in enumerate(steps):
        text = "" if step.text == "query" else step.text
        text += _arguments(supergraph, step.field) if step.field is not None else ""
        is_last = depth == len(steps) - 1
        lines.append("  " * (depth + 2) + (text if is_last else f"{text} {{".lstrip()))
    lines += ["  " * (depth + 2) + "}" for depth in reversed(range(len(steps) - 1))]
    return "\n".join(lines)


def _arguments(supergraph: Supergraph, field: Field) -> str:
    needed = [a for a in field.arguments if a.type.non_null and not a.has_default]
    return f"({', '.join(f'{a.name}: {_sample(supergraph, a.type)}' for a in needed)})" if needed else ""


def _sample(supergraph: Supergraph, type_: TypeRef, depth: int = 0) -> str:
    """Some value of an input type."""
    if type_.is_list or depth > 5:
        return "[]"
    info = supergraph.types[type_.name]
    if info.kind == "enum":
        return min(info.enum_values, default="A")
    if info.kind == "input":
        needed: list[Argument] = [
            f for f in info.input_fields.values() if f.type.non_null and not f.has_default
        ]
        inner = ", ".join(f"{f.name}: {_sample(supergraph, f.type, depth + 1)}" for f in needed)
        return "{" + inner + "}"
    return _SAMPLES.get(type_.name, '"A"')


def explain(graph: SchemaGraph, arrivals: Sequence[Node], type_name: str, field: Field) -> list[str]:
    """Why no way leads to the field. Subgraphs are written as <ID>."""
    here = dict.fromkeys(node.graph for node in arrivals)
    told_late = {n.graph: n.info.name for n in arrivals if n.is_interface_object and n.field(field.name)}
    reasons: list[str] = []
    for name in here:
        interface = told_late.get(name)
        why = (
            _why_not_told(type_name, field, interface)
            if interface
            else _why_not_here(graph, type_name, field, name)
        )
        reasons.append(f"<{name}>, from where we come, {why}")
    others = [name for name in field.joins if name not in here]
    return reasons + [f"<{name}> {_why_no_move(graph, type_name, field, name)}" for name in others]


def _why_not_told(type_name: str, field: Field, interface: str) -> str:
    return (
        f"has {interface}.{field.name} as an @interfaceObject, but whether a value is a {type_name} is known only"
        f" afterwards, and no @key of {interface} is resolvable there by which to come back"
    )


def _why_not_here(graph: SchemaGraph, type_name: str, field: Field, name: str) -> str:
    row = field.joins.get(name)
    if row is None:
        return f"does not have {type_name}.{field.name}"
    if row.requires is not None:
        keys = [hop for hop in graph.hops(type_name) if hop.target.graph == name]
        if not keys and graph.supergraph.types[type_name].joins[name].keys:
            return f"needs {row.requires!r} first, but no @key of {type_name} is resolvable there to come back with it"
        if not keys:
            return f"needs {row.requires!r} first, but {type_name} has no @key there by which to come back with it"
        return f"needs {row.requires!r} first, which cannot be reached"
    if row.is_external:
        return f"has {type_name}.{field.name} only as @external"
    return f"has {type_name}.{field.name} only overridden"


def _why_no_move(graph: SchemaGraph, type_name: str, field: Field, name: str) -> str:
    row = field.joins[name]
    if not graph.resolves(row):
        return _why_not_here(graph, type_name, field, name)
    joined = graph.supergraph.types[type_name].joins.get(name)
    keys = joined.keys if joined is not None else ()
    if not keys:
        return f"has it, but {type_name} has no @key there"
    usable = [key.fields for key in keys if key.is_resolvable]
    if not usable:
        return f"has it, but no @key of {type_name} is resolvable there"
    said = " or ".join(repr(key) for key in usable)
    if row.requires is not None:
        return (
            f"has it, but needs {row.requires!r} first, and the @key {said}: not all of that can be reached"
        )
    return f"has it, but its @key {said} cannot be reached from here"
