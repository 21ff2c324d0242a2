"""Groups fetches into requests: fetches of one subgraph at one depth share an HTTP request, equal look-ups a slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trivium_federation.operation.selection import SelectedField, Selection
from trivium_federation.planner.fetches import Fetch
from trivium_federation.planner.plan import (
    FetchPlan,
    InputField,
    InputShape,
    Representation,
    Request,
    Slot,
)
from trivium_federation.planner.subgraph_text import print_output
from trivium_federation.supergraph.model import Supergraph


@dataclass(frozen=True, slots=True)
class OperationFrame:
    """What requests take over from the client's operation: its kind and the texts of its variable definitions."""

    kind: str
    variable_definitions: Mapping[str, str]


def build_plan(supergraph: Supergraph, fetches: Sequence[Fetch], frame: OperationFrame) -> FetchPlan:
    """Order and group `fetches`. The result is the same for the same fetches in the same order."""
    levels = _levels(fetches)
    groups: dict[tuple[object, ...], list[Fetch]] = {}
    for fetch in sorted(fetches, key=lambda f: (f.section, levels[f], f.index)):
        # A root selection below another place (a mutation's way back to Query) is a request of its own.
        alone = fetch.index if fetch.key is None else -1
        groups.setdefault((fetch.section, levels[fetch], fetch.graph, alone), []).append(fetch)
    requests: list[Request] = []
    owner: dict[Fetch, int] = {}
    for group in groups.values():
        request = _request(supergraph, len(requests), group, levels[group[0]], frame)
        requests.append(request)
        owner.update(dict.fromkeys(group, request.index))
    _link(requests, groups.values(), owner)
    sections = [tuple(r for r in requests if r.section == s) for s in sorted({r.section for r in requests})]
    size = sum(len(r.text) for r in requests)
    root = supergraph.root_types[frame.kind]
    return FetchPlan(frame.kind, root, tuple(requests), tuple(sections), text_bytes=size)


def _levels(fetches: Sequence[Fetch]) -> dict[Fetch, int]:
    """The depth of each fetch; one that nothing waits for sinks to the next request of its subgraph, to share it."""
    levels: dict[Fetch, int] = {}

    def level(fetch: Fetch) -> int:
        if fetch not in levels:
            parents = [p for p in fetch.parents if p.section == fetch.section]
            levels[fetch] = 1 + max((level(p) for p in parents), default=-1)
        return levels[fetch]

    for fetch in fetches:
        level(fetch)
    awaited = {parent for fetch in fetches for parent in fetch.parents}
    for fetch in fetches:
        if fetch.key is None or fetch in awaited:
            continue
        deeper = [
            levels[f]
            for f in fetches
            if f.graph == fetch.graph and f.section == fetch.section and levels[f] > levels[fetch] and f.key
        ]
        levels[fetch] = min(deeper, default=levels[fetch])
    return levels


def _link(requests: Sequence[Request], groups: Iterable[list[Fetch]], owner: Mapping[Fetch, int]) -> None:
    for request, group in zip(requests, groups, strict=True):
        parents = {
            owner[p] for f in group for p in f.parents if requests[owner[p]].section == request.section
        }
        request.parents = tuple(sorted(parents - {request.index}))
    for request in requests:
        request.children = tuple(r.index for r in requests if request.index in r.parents)


def _request(
    supergraph: Supergraph, index: int, group: Sequence[Fetch], level: int, frame: OperationFrame
) -> Request:
    first = group[0]
    subgraph = supergraph.subgraphs[first.graph]
    slots = _slots(supergraph, group)
    used = sorted({v for slot in slots for v in slot.output.all_variables()})
    definitions = [frame.variable_definitions[name] for name in used]
    kind = "query"
    names: list[str] = []
    if first.key is None:
        kind = frame.kind if first.place.parent is None else "query"
        body = slots[0].text
    else:
        names = _representation_names(len(slots), used)
        definitions = [f"${name}:[_Any!]!" for name in names] + definitions
        is_single = len(slots) == 1
        parts: list[str] = []
        for number, (slot, name) in enumerate(zip(slots, names, strict=True)):
            slot.alias = "_entities" if is_single else f"_e{number}"
            prefix = "" if is_single else f"{slot.alias}:"
            parts.append(f"{prefix}_entities(representations:${name}){slot.text}")
        body = "{" + " ".join(parts) + "}"
    head = kind if definitions or kind != "query" else ""
    text = f"{head}({','.join(definitions)}){body}" if definitions else f"{head}{body}"
    return Request(index, subgraph, first.section, level, kind, slots, text, tuple(used), tuple(names))


def _representation_names(count: int, used: Sequence[str]) -> list[str]:
    """Names of the representation variables, none of which the client uses."""
    prefix = "r"
    while any(name.startswith(prefix) for name in used):
        prefix = f"_{prefix}"
    return [f"{prefix}{number}" for number in range(count)] if count > 1 else [prefix]


def _slots(supergraph: Supergraph, group: Sequence[Fetch]) -> list[Slot]:
    """One slot for all fetches that ask the same of the same type with the same input, wherever it lands."""
    slots: dict[tuple[str, str], Slot] = {}
    for fetch in group:
        text, renames = print_output(fetch.output)
        representation = _representation(supergraph, fetch)
        if representation is not None:
            text = f"{{...on {fetch.entity_type}{text}}}"
        slot = slots.get((text, repr(representation)))
        if slot is not None:
            slot.places.append(fetch.place)
            slot.fetches.append(fetch)
            continue
        slots[text, repr(representation)] = Slot(
            "", [fetch.place], fetch.output, representation, text, renames, [fetch]
        )
    return list(slots.values())


def _representation(supergraph: Supergraph, fetch: Fetch) -> Representation | None:
    if fetch.key is None:
        return None
    key = input_shape(supergraph, fetch.entity_type, [fetch.key])
    requires = input_shape(supergraph, fetch.entity_type, fetch.requires)
    return Representation(fetch.entity_type, key, requires)


def input_shape(supergraph: Supergraph, type_name: str, inputs: Sequence[Selection]) -> InputShape:
    """The merged shape of several field sets on one type."""
    by_type: dict[str, dict[str, list[SelectedField]]] = {}
    general: dict[str, list[SelectedField]] = {}
    for selection in inputs:
        for wanted in selection.fields.values():
            general.setdefault(wanted.key, []).append(wanted)
        for concrete, fields in selection.by_type.items():
            for wanted in fields.values():
                by_type.setdefault(concrete, {}).setdefault(wanted.key, []).append(wanted)
    return InputShape(
        _input_fields(supergraph, type_name, general),
        {concrete: _input_fields(supergraph, concrete, fields) for concrete, fields in by_type.items()},
        wants_typename=supergraph.types[type_name].is_abstract,
    )


def _input_fields(
    supergraph: Supergraph, type_name: str, groups: Mapping[str, list[SelectedField]]
) -> tuple[InputField, ...]:
    found: list[InputField] = []
    declared = supergraph.types[type_name].fields
    for wanted in groups.values():
        first = wanted[0]
        children = None
        if first.name == "__typename":
            found.append(InputField(first.name, first.key, is_nullable=True, children=None))
            continue
        type_ref = declared[first.name].type
        if first.selection is not None:
            nested = [w.selection for w in wanted if w.selection is not None]
            children = input_shape(supergraph, type_ref.name, nested)
        found.append(InputField(first.name, first.key, not type_ref.non_null, children))
    return tuple(found)
