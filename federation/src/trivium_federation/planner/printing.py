"""A plan for people and tools: as text, as JSON-ready data, or as a Mermaid graph."""

from __future__ import annotations

from dataclasses import dataclass

from trivium_federation.planner.plan import FetchPlan, InputField, InputShape, Request, Slot


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine would do for an operation. `conditions` are the values of @skip and @include variables it is for."""

    fetch_plan: FetchPlan
    conditions: dict[str, bool]
    why_interpreted: str = ""

    def to_dict(self) -> dict[str, object]:
        """The plan as data for JSON."""
        return {
            "kind": self.fetch_plan.operation,
            "conditions": self.conditions,
            "requests": [_request(r) for r in self.fetch_plan.requests],
            "compiled": not self.why_interpreted,
            "not_chosen": list(self.fetch_plan.not_chosen),
        }

    def to_text(self) -> str:
        """The plan for a terminal, one request after the other."""
        lines: list[str] = []
        if self.conditions:
            values = ", ".join(f"${n} = {str(v).lower()}" for n, v in self.conditions.items())
            lines.append(f"for {values}")
        if not self.fetch_plan.requests:
            lines.append("no subgraph is asked")
        for request in self.fetch_plan.requests:
            lines += _lines(request)
        if self.fetch_plan.not_chosen:
            lines.append("not chosen")
            lines += [f"  {route}" for route in self.fetch_plan.not_chosen]
        if self.why_interpreted:
            lines.append(f"interpreted: {self.why_interpreted}")
        return "\n".join(lines) + "\n"

    def to_mermaid(self) -> str:
        """The requests as a Mermaid flowchart; an arrow means: waits for."""
        lines = ["flowchart TD"]
        for request in self.fetch_plan.requests:
            places = ", ".join(_places(request))
            lines.append(f'  r{request.index}["{request.index} {request.subgraph.name}<br/>{places}"]')
            lines += [f"  r{parent} --> r{request.index}" for parent in request.parents]
        return "\n".join(lines) + "\n"


def _lines(request: Request) -> list[str]:
    waits = f", after {', '.join(map(str, request.parents))}" if request.parents else ""
    step = f", step {request.section + 1}" if request.section else ""
    lines = [f"{request.index} {request.subgraph.name}{step}{waits}"]
    lines += [f"  because  {reason}" for reason in request.reasons]
    for slot in request.slots:
        lines.append(f"  at       {', '.join(_slot_places(slot))}")
        if slot.representation is not None:
            given = _input_text(slot.representation.key) + _input_text(slot.representation.requires)
            lines.append(f"  with     {slot.representation.type_name} {' '.join(given)}")
    lines.append(f"  ask      {request.text}")
    return lines


def _request(request: Request) -> dict[str, object]:
    return {
        "index": request.index,
        "subgraph": request.subgraph.name,
        "section": request.section,
        "after": list(request.parents),
        "because": list(request.reasons),
        "slots": [_slot(s) for s in request.slots],
        "operation": request.text,
        "variables": list(request.variables),
    }


def _slot(slot: Slot) -> dict[str, object]:
    found: dict[str, object] = {"places": _slot_places(slot)}
    if slot.representation is not None:
        found["type"] = slot.representation.type_name
        found["key"] = " ".join(_input_text(slot.representation.key))
        found["requires"] = " ".join(_input_text(slot.representation.requires))
    return found


def _places(request: Request) -> list[str]:
    return [place for slot in request.slots for place in _slot_places(slot)]


def _slot_places(slot: Slot) -> list[str]:
    return [str(place) or "the root" for place in slot.places]


def _input_text(shape: InputShape) -> list[str]:
    parts = [_input_field(f) for f in shape.fields]
    for concrete, fields in shape.by_type.items():
        parts.append(f"... on {concrete} {{ {' '.join(map(_input_field, fields))} }}")
    return parts


def _input_field(field: InputField) -> str:
    if field.children is None:
        return field.name
    return f"{field.name} {{ {' '.join(_input_text(field.children))} }}"
