"""Writes the Python functions of a compiled plan. Only numbered names become code; texts are constants in `env`."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.compiled.layout import (
    LaidField,
    LaidPosition,
    Layout,
    Provider,
    Unsupported,
    flat_inputs,
)
from trivium_federation.compiled.structs import Structs
from trivium_federation.planner.plan import InputField, Request, Slot
from trivium_federation.supergraph.model import TypeRef


class Writer:
    """Lines of one function."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, indent: int, line: str) -> None:
        """Append a line."""
        self.lines.append("    " * indent + line)


class PlanSource:
    """The source of a plan's functions and the constants that they use."""

    def __init__(self, layout: Layout, structs: Structs) -> None:
        self._layout = layout
        self._structs = structs
        self._names = 0
        self.env: dict[str, object] = {}

    # -- collecting inputs --------------------------------------------------------------------------------------

    def collect(self, request: Request) -> str:
        """`collect(r)`: fill `r.t<request>_<slot>` with key -> targets; returns the JSON of each slot's input."""
        writer = Writer()
        writer.add(0, "def collect(r):")
        parts: list[str] = []
        for number, slot in enumerate(request.slots):
            parts.append(self._collect_slot(writer, request, number, slot))
        writer.add(1, f"return {', '.join(parts)},")
        return "\n".join(writer.lines)

    def _collect_slot(self, writer: Writer, request: Request, number: int, slot: Slot) -> str:
        key, required = flat_inputs(slot)
        assert slot.representation is not None  # noqa: S101 - only look-ups collect
        table = f"t{number}"
        writer.add(1, f"{table} = r.t{request.index}_{number} = {{}}")
        is_single = len(key) + len(required) == 1
        seen: set[int] = set()
        for place in slot.places:
            position = self._layout.canonical(self._layout.at(place))
            if position.number in seen:
                continue
            seen.add(position.number)
            writer.add(1, f"for x in r.o{position.number}:")
            self._key_lines(writer, position, (request.index, number), key, required)
            if is_single:
                writer.add(2, "k = k0")
            else:
                names = [f"k{i}" for i in range(len(key) + len(required))]
                writer.add(2, f"k = ({', '.join(names)})")
            writer.add(2, f"if k in {table}: {table}[k].append(x)")
            writer.add(2, f"else: {table}[k] = [x]")
        return self._representations(slot, table, (*key, *required), is_single=is_single)

    def _key_lines(
        self,
        writer: Writer,
        position: LaidPosition,
        provider: Provider,
        key: Sequence[InputField],
        required: Sequence[InputField],
    ) -> None:
        """Read the inputs of `x`; without a whole key it is left out, which only nullable fields survive."""
        skip = "raise Slow" if self._fills_non_null(position, provider) else "continue"
        checks: list[str] = []
        for index, wanted in enumerate(key):
            laid = position.fields[wanted.key]
            writer.add(2, f"k{index} = x.{self._structs.attribute(wanted.key)}")
            if self._may_be_unset(position, laid):
                checks.append(f"k{index} is UNSET")
            if not laid.type.non_null and (not wanted.is_nullable or len(key) == 1):
                checks.append(f"k{index} is None")
        if len(key) > 1 and not any(position.fields[k.key].type.non_null for k in key):
            checks.append(" is ".join(f"k{i}" for i in range(len(key))) + " is None")
        if checks:
            writer.add(2, f"if {' or '.join(checks)}: {skip}")
        for index, wanted in enumerate(required, start=len(key)):
            laid = position.fields[wanted.key]
            writer.add(2, f"k{index} = x.{self._structs.attribute(wanted.key)}")
            if self._may_be_unset(position, laid):
                writer.add(2, f"if k{index} is UNSET: k{index} = None")

    def _representations(
        self, slot: Slot, table: str, inputs: Sequence[InputField], *, is_single: bool
    ) -> str:
        representation = slot.representation
        assert representation is not None  # noqa: S101 - only look-ups collect
        parts = [f"{self._constant('__typename')}: {self._constant(representation.type_name)}"]
        parts += [f"{self._constant(f.name)}: k{i}" for i, f in enumerate(inputs)]
        names = "k0" if is_single else ", ".join(f"k{i}" for i in range(len(inputs)))
        return f"dumps([{{{', '.join(parts)}}} for {names} in {table}])"

    # -- taking answers -----------------------------------------------------------------------------------------

    def take_root(self, request: Request) -> str:
        """`take(r, d)`: keep a root answer and list the objects that are looked at again."""
        writer = Writer()
        writer.add(0, "def take(r, d):")
        writer.add(1, f"r.d{request.index} = d")
        self._list_objects(writer, 1, self._layout.root, "d", (request.index, 0))
        return "\n".join(writer.lines)

    def take_entities(self, request: Request) -> str:
        """`take(r, d)`: put the entities of each slot into their targets."""
        writer = Writer()
        writer.add(0, "def take(r, d):")
        for number, slot in enumerate(request.slots):
            self._take_slot(writer, request, number, slot)
        return "\n".join(writer.lines)

    def _take_slot(self, writer: Writer, request: Request, number: int, slot: Slot) -> None:
        provider = request.index, number
        position = self._layout.at(slot.places[0])
        writer.add(1, f"es = d.s{number}")
        writer.add(1, f"t = r.t{request.index}_{number}")
        writer.add(1, "if len(es) != len(t): raise Slow")
        writer.add(1, "for e, xs in zip(es, t.values()):")
        missing = "raise Slow" if self._fills_non_null(position, provider) else "continue"
        writer.add(2, f"if e is None: {missing}")
        # Before the targets get them: an object may be replaced by its equal.
        self._list_objects(writer, 2, position, "e", provider)
        for laid in position.fields.values():
            if provider not in laid.providers:
                continue
            name = self._structs.attribute(laid.key)
            if laid.providers[0] != provider or position.owner in laid.providers:
                if not laid.type.non_null:
                    writer.add(2, "for x in xs:")
                    writer.add(3, f"if x.{name} is None: x.{name} = e.{name}")
                continue
            writer.add(2, f"v_{name} = e.{name}")
            writer.add(2, f"for x in xs: x.{name} = v_{name}")

    def _list_objects(
        self, writer: Writer, indent: int, position: LaidPosition, name: str, provider: Provider
    ) -> None:
        """Walk what `provider` brought below `name` and append the objects of listed positions to their lists."""
        for laid in position.fields.values():
            child = laid.child
            if child is None or child.owner != provider or not _leads_to_list(child):
                continue
            value = self._fresh()
            writer.add(indent, f"{value} = {name}.{self._structs.attribute(laid.key)}")
            holder = f"{name}.{self._structs.attribute(laid.key)}"
            self._walk(writer, indent, laid.type, child, value, holder, provider)

    def _walk(
        self,
        writer: Writer,
        indent: int,
        type_: TypeRef,
        child: LaidPosition,
        value: str,
        holder: str | None,
        provider: Provider,
    ) -> None:
        if not type_.non_null:
            writer.add(indent, f"if {value} is not None:")
            indent += 1
        if type_.item is not None:
            item = self._fresh()
            writer.add(indent, f"for {item} in {value}:")
            self._walk(writer, indent + 1, type_.item, child, item, None, provider)
            return
        if child.is_listed:
            listed = self._layout.canonical(child).number
            shared = self._shared_by(child) if holder is not None else None
            if shared is None:
                writer.add(indent, f"r.o{listed}.append({value})")
            else:
                # Nothing tells these objects apart but their key: one stands for all with the same.
                key = f"{value}.{self._structs.attribute(shared.key)}"
                writer.add(indent, f"y = r.u{listed}.setdefault({key}, {value})")
                writer.add(indent, f"if y is {value}: r.o{listed}.append(y)")
                writer.add(indent, f"else: {holder} = y")
        self._list_objects(writer, indent, child, value, provider)

    # -- the end ------------------------------------------------------------------------------------------------

    def finish(self, root_requests: Sequence[Request], *, is_whole: bool) -> str:
        """`finish(r)`: hide what is internal and give the root object."""
        writer = Writer()
        writer.add(0, "def finish(r):")
        for position in self._layout.positions.values():
            hidden = [self._structs.attribute(f.key) for f in position.internal()]
            if hidden and position.path not in self._layout.same_as:
                writer.add(1, f"for x in r.o{position.number}:")
                writer.add(2, " = ".join(f"x.{name}" for name in hidden) + " = UNSET")
        if is_whole:
            writer.add(1, f"return r.d{root_requests[0].index}")
        else:
            arguments = [self._root_argument(laid) for laid in self._layout.root.fields.values()]
            writer.add(1, f"return Root({', '.join(a for a in arguments if a)})")
        return "\n".join(writer.lines)

    def _root_argument(self, laid: LaidField) -> str:
        name = self._structs.attribute(laid.key)
        if laid.kind == "typename":
            return ""
        if laid.kind == "local":
            return f"{name}=r.local[{self._constant(laid.key)}]"
        if len(laid.providers) != 1:
            raise Unsupported(f"the root field {laid.key} comes from several answers")
        return f"{name}=r.d{laid.providers[0][0]}.{name}"

    # -- small things -------------------------------------------------------------------------------------------

    def _may_be_unset(self, position: LaidPosition, laid: LaidField) -> bool:
        if laid.response_key is None:
            return True
        return laid.type.non_null and position.owner not in laid.providers

    def _fills_non_null(self, position: LaidPosition, provider: Provider) -> bool:
        """Whether a target without its entity would leave a null where none may be."""
        return any(
            provider in f.providers
            and f.type.non_null
            and f.response_key is not None
            and position.owner not in f.providers
            for f in position.fields.values()
        )

    def _shared_by(self, position: LaidPosition) -> LaidField | None:
        """The key field, if the owner brings nothing else and so equal keys mean equal objects."""
        owned = [f for f in position.fields.values() if position.owner in f.providers]
        if len(owned) != 1 or owned[0].child is not None or not owned[0].type.non_null:
            return None
        if owned[0].type.item is not None or any(f.child is not None for f in position.fields.values()):
            return None
        return owned[0]

    def is_shared(self, position: LaidPosition) -> bool:
        """Whether the position has a table of shared objects."""
        return position.is_listed and self._shared_by(position) is not None

    def _constant(self, text: str) -> str:
        name = f"c{len(self.env)}"
        self.env[name] = text
        return name

    def _fresh(self) -> str:
        self._names += 1
        return f"n{self._names}"


def _leads_to_list(position: LaidPosition) -> bool:
    if position.is_listed:
        return True
    return any(
        f.child is not None and f.child.owner == position.owner and _leads_to_list(f.child)
        for f in position.fields.values()
    )
