"""Random subgraph sets: entities with several keys, requires, provides, overrides, interfaces, unions, shared roots.

Built so that composition is known, and thrown away where a field could not be reached.
"""

import random
from dataclasses import dataclass, field

from federation_fuzz.composed import Composed, MadeField, MadeType, Placement

_ENTITIES = ("User", "Product", "Order", "Store")
_SCALARS = ("Int", "String", "Float", "Boolean", "ID", "Color")
_KEYS = {"id": {"id": "ID!"}, "sku": {"sku": "String!"}, "code region": {"code": "Int!", "region": "String!"}}
_ATTEMPTS = 200


class CannotMake(RuntimeError):
    """No reachable set was found for a seed."""


def make_supergraph(seed: int) -> str:
    """The SDL of a supergraph that only the seed decides."""
    return make_composed(seed).supergraph_sdl()


def make_composed(seed: int) -> Composed:
    """The subgraph set behind `make_supergraph`."""
    rng = random.Random(seed)
    for _ in range(_ATTEMPTS):
        made = _Maker(rng).make()
        if made.is_satisfiable():
            return made
    raise CannotMake(f"seed {seed}")


@dataclass(slots=True)
class _Maker:
    """Makes one set, step by step."""

    rng: random.Random
    composed: Composed = field(default_factory=lambda: Composed([]))
    entities: list[str] = field(default_factory=list)
    used: set[tuple[str, str]] = field(
        default_factory=set
    )  # fields in requires or provides: not to be overridden

    def make(self) -> Composed:
        """Entities and their keys first, then everything that refers to them."""
        rng = self.rng
        self.composed.graphs = list("abcde")[: rng.randint(2, 5)]
        self.types["Query"] = MadeType("object", {graph: [] for graph in self.composed.graphs})
        self._make_plain_types()
        for name in _ENTITIES[: rng.randint(2, 4)]:
            self._make_entity(name)
        if rng.random() < 0.5:
            self._make_interface_object()
        if rng.random() < 0.6:
            self._make_interface()
        if rng.random() < 0.6:
            self._make_union()
        for name in self.entities:
            self._make_fields(name)
        for name in self.entities:
            self._override(name)
            self._require(name)
        self._provide()
        self._make_roots()
        self._drop_unused()
        return self.composed

    @property
    def types(self) -> dict[str, MadeType]:
        return self.composed.types

    def _make_plain_types(self) -> None:
        self.types["Color"] = MadeType("enum", values=("RED", "GREEN", "BLUE"))
        self.types["Size"] = MadeType(
            "object",
            fields={"width": MadeField("Int"), "unit": MadeField("String!"), "tint": MadeField("Color")},
        )
        self.types["Box"] = MadeType(
            "object",
            fields={"size": MadeField("Size"), "sizes": MadeField("[Size!]"), "label": MadeField("String")},
        )
        self.types["Filter"] = MadeType(
            "input",
            fields={
                "text": MadeField('String = "any"'),
                "colors": MadeField("[Color!]"),
                "min": MadeField("Int"),
            },
        )

    def _declare(self, name: str, graph: str) -> None:
        """Make sure that a graph has a type that one of its fields names."""
        t = self.types.get(name)
        if t is None or graph in t.graphs:
            return
        if name in self.entities:
            key = self.rng.choice([key for keys in t.graphs.values() for key, ok in keys if ok])
            self._add_key(name, graph, key, self.rng.random() < 0.5)
            return
        t.graphs[graph] = []
        for f in t.fields.values():
            f.placements[graph] = Placement(f.type)
            self._declare(_core(f.type), graph)

    def _add_key(self, name: str, graph: str, key: str, is_resolvable: bool) -> None:
        t = self.types[name]
        t.graphs.setdefault(graph, []).append((key, is_resolvable))
        for field_name, type_text in _KEYS[key].items():
            f = t.fields.setdefault(field_name, MadeField(type_text))
            f.placements[graph] = Placement(type_text)

    def _make_entity(self, name: str) -> None:
        rng = self.rng
        self.types[name] = MadeType("object")
        self.entities.append(name)
        keys = rng.sample(list(_KEYS), rng.choice((1, 1, 2, 3)))
        graphs = rng.sample(self.composed.graphs, rng.randint(1, len(self.composed.graphs)))
        for graph in graphs:
            for key in rng.sample(keys, rng.randint(1, len(keys))):
                self._add_key(name, graph, key, rng.random() < 0.85)
        if not any(self.types[name].can_enter(graph) for graph in graphs):
            t = self.types[name]
            t.graphs[graphs[0]] = [(key, True) for key, _ in t.graphs[graphs[0]]]

    def _make_fields(self, name: str) -> None:
        t = self.types[name]
        for number in range(self.rng.randint(2, 6)):
            owners = [graph for graph in t.graphs if t.can_enter(graph)]
            count = 1 if self.rng.random() < 0.75 else self.rng.randint(1, len(owners))
            self._add_field(t, f"f{number}", self.rng.sample(owners, count))

    def _add_field(self, t: MadeType, name: str, graphs: list[str]) -> None:
        rng = self.rng
        core = rng.choice(_SCALARS) if rng.random() < 0.55 else rng.choice(self._targets(graphs))
        made = MadeField(self._wrapped(core), self._arguments())
        for graph in graphs:
            made.placements[graph] = Placement(made.type)
            self._declare(core, graph)
            self._declare_arguments(made.arguments, graph)
        if len(graphs) > 1 and rng.random() < 0.3 and not made.type.endswith("!"):
            made.placements[graphs[0]].type += "!"
        t.fields[name] = made

    def _targets(self, graphs: list[str]) -> list[str]:
        abstract = [
            n for n, t in self.types.items() if t.kind == "interface" and t.graphs.keys() >= set(graphs)
        ]
        return [*self.entities, "Size", "Box", *abstract]

    def _wrapped(self, core: str) -> str:
        return self.rng.choice(("{}", "{}", "{}!", "[{}]", "[{}!]", "[{}!]!", "[[{}]]")).format(core)

    def _arguments(self) -> str:
        choices = (
            "x: Int",
            "x: Int = 3, y: [String!]",
            "by: Color",
            "by: Color! = RED",
            "filter: Filter",
            "id: ID!",
        )
        return self.rng.choice(choices) if self.rng.random() < 0.2 else ""

    def _declare_arguments(self, arguments: str, graph: str) -> None:
        for name in ("Filter", "Color"):
            if name in arguments:
                self._declare(name, graph)

    def _override(self, name: str) -> None:
        """Move a field to another graph that can be entered."""
        t = self.types[name]
        for field_name, f in t.fields.items():
            owners = f.owners()
            others = [g for g in t.graphs if t.can_enter(g) and g not in f.placements]
            is_free = (name, field_name) not in self.used and field_name not in _key_fields()
            if len(owners) == 1 and others and is_free and self.rng.random() < 0.15:
                target = self.rng.choice(others)
                f.placements = {target: Placement(f.type, override=owners[0])}
                interfaces = t.implements.get(owners[0], ())
                if any(
                    owners[0] in self.types[i].fields[field_name].placements
                    for i in interfaces
                    if field_name in self.types[i].fields
                ):
                    f.placements[owners[0]] = Placement(f.type, used_overridden=True)
                self._declare(_core(f.type), target)
                self._declare_arguments(f.arguments, target)

    def _require(self, name: str) -> None:
        """Fields computed from what other graphs own; chains arise where one requires another."""
        t = self.types[name]
        for number in range(self.rng.choice((0, 1, 1, 2))):
            graph = self.rng.choice([graph for graph in t.graphs if t.can_enter(graph)])
            usable = [(n, f) for n, f in t.fields.items() if self._can_require(n, f, graph)]
            if not usable:
                continue
            texts = []
            for field_name, f in self.rng.sample(usable, min(len(usable), self.rng.randint(1, 2))):
                texts.append(self._require_field(name, field_name, f, graph))
            made = MadeField(self._wrapped(self.rng.choice(("Int", "String", "Size"))))
            made.placements[graph] = Placement(made.type, requires=" ".join(texts))
            self._declare(_core(made.type), graph)
            t.fields[f"r{number}"] = made

    def _can_require(self, name: str, f: MadeField, graph: str) -> bool:
        is_simple = _core(f.type) in (*_SCALARS, "Size", *self.entities) and "id: ID!" not in f.arguments
        is_overridden_here = any(p.override == graph for p in f.placements.values())
        types = {p.type for p in f.placements.values()}
        return is_simple and graph not in f.owners() and not is_overridden_here and len(types) == 1

    def _require_field(self, name: str, field_name: str, f: MadeField, graph: str) -> str:
        core = _core(f.type)
        f.placements.setdefault(graph, Placement(f.type, external=True))
        self.used.add((name, field_name))
        self._declare(core, graph)
        self._declare_arguments(f.arguments, graph)
        text = field_name
        if f.arguments.startswith("x: Int"):
            text += f"(x: {self.rng.randrange(3)})"
        elif f.arguments.startswith("by"):
            text += f"(by: {self.rng.choice(('RED', 'BLUE'))})"
        if core == "Size":
            text += self.rng.choice((" { width }", " { width unit }"))
        elif core in self.entities:
            here = next(n for n, known in self.types[core].fields.items() if graph in known.owners())
            text += f" {{ {here} }}"
        return text

    def _provide(self) -> None:
        """Fields that a graph hands out on the way, though it does not own them."""
        for name in self.entities:
            for f in self.types[name].fields.values():
                core = _core(f.type)
                if core not in self.entities or self.rng.random() > 0.4:
                    continue
                for graph, placement in f.placements.items():
                    if not placement.external and len(f.placements) == 1:
                        placement.provides = self._provided(core, graph)

    def _provided(self, core: str, graph: str) -> str:
        texts = []
        for field_name, f in self.types[core].fields.items():
            is_scalar = _core(f.type) in _SCALARS and not f.arguments
            is_elsewhere = graph not in f.owners() and not any(
                p.override or p.requires for p in f.placements.values()
            )
            same = {p.type for p in f.placements.values()} == {f.type}
            if is_scalar and is_elsewhere and same and self.rng.random() < 0.6:
                f.placements.setdefault(graph, Placement(f.type, external=True))
                self._declare(_core(f.type), graph)
                texts.append(field_name)
        return " ".join(texts)

    def _make_interface_object(self) -> None:
        """An interface that one graph has with its types, and others extend without knowing them."""
        graphs = self.rng.sample(self.composed.graphs, 2)
        home, others = graphs[0], graphs[1:]
        media = MadeType(
            "interface", {home: [("id", True)]}, {"id": MadeField("ID!", "", {home: Placement("ID!")})}
        )
        media.fields["title"] = MadeField("String", "", {home: Placement("String")})
        extra = {}
        for graph in others:
            media.graphs[graph] = [("id", True)]
            media.interface_object_in.add(graph)
            media.fields["id"].placements[graph] = Placement("ID!")
            for number in range(self.rng.randint(1, 2)):
                made = MadeField(self._wrapped(self.rng.choice(("Int", "Size", "String"))))
                made.placements[graph] = Placement(made.type)
                self._declare(_core(made.type), graph)
                extra[f"{graph}{number}"] = made
        media.fields |= extra
        self.types["Media"] = media
        for name in ("Film", "Song"):
            t = MadeType("object", {home: [("id", True)]}, implements={home: {"Media"}})
            t.fields["id"] = MadeField("ID!", "", {home: Placement("ID!")})
            t.fields["title"] = MadeField("String", "", {home: Placement("String")})
            t.fields[f"only{name}"] = MadeField("Int", "", {home: Placement("Int")})
            for field_name, made in extra.items():
                t.fields[field_name] = MadeField(made.type, from_interface_object=True)
            self.types[name] = t

    def _make_interface(self) -> None:
        """An interface over entities, its fields in different graphs."""
        rng = self.rng
        members = rng.sample(self.entities, rng.randint(1, min(3, len(self.entities))))
        graphs = [g for g in self.composed.graphs if all(self.types[m].can_enter(g) for m in members)]
        if not graphs:
            return
        named = MadeType("interface")
        for number, graph in enumerate(graphs[:2]):
            field_name = f"c{number}"
            type_text = self._wrapped(rng.choice(("Int", "String", "Size")))
            named.graphs[graph] = []
            named.fields[field_name] = MadeField(type_text, "", {graph: Placement(type_text)})
            self._declare(_core(type_text), graph)
            for member in members:
                t = self.types[member]
                t.implements.setdefault(graph, set()).add("Named")
                t.fields[field_name] = MadeField(type_text, "", {graph: Placement(type_text)})
        self.types["Named"] = named

    def _make_union(self) -> None:
        """A union whose members differ by graph."""
        thing = MadeType("union")
        for graph in self.composed.graphs:
            members = {
                n
                for n in [*self.entities, "Size"]
                if graph in self.types[n].graphs and self.rng.random() < 0.7
            }
            if members:
                thing.members[graph] = members
                thing.graphs[graph] = []
        if thing.members:
            self.types["Thing"] = thing

    def _make_roots(self) -> None:
        rng = self.rng
        for graph in self.composed.graphs:
            for number in range(rng.randint(1, 3)):
                self._add_root("Query", f"{graph}Q{number}", [graph])
        self._add_root("Query", "shared", rng.sample(self.composed.graphs, 2))
        if rng.random() < 0.5:
            self.types["Mutation"] = MadeType("object", {graph: [] for graph in self.composed.graphs})
            for graph in self.composed.graphs:
                self._add_root("Mutation", f"{graph}M", [graph])

    def _add_root(self, root: str, name: str, graphs: list[str]) -> None:
        choices = [
            n
            for n, t in self.types.items()
            if t.kind in ("object", "interface", "union")
            and n not in ("Query", "Mutation")
            and all(graph in t.graphs for graph in graphs)
            and (t.kind != "union" or set.intersection(*(t.members[graph] for graph in graphs)))
        ]
        if len(graphs) == 1:
            choices = [*choices, *choices, "Int", "Size"]
        core = self.rng.choice(choices or ["String"])
        made = MadeField(self._wrapped(core), self._arguments())
        for graph in graphs:
            made.placements[graph] = Placement(made.type)
            self._declare(core, graph)
            self._declare_arguments(made.arguments, graph)
        self.types[root].fields[name] = made

    def _drop_unused(self) -> None:
        for name in [name for name, t in self.types.items() if not t.graphs]:
            del self.types[name]


def _core(type_text: str) -> str:
    return type_text.split(" = ")[0].strip("[]!")


def _key_fields() -> set[str]:
    return {name for fields in _KEYS.values() for name in fields}
