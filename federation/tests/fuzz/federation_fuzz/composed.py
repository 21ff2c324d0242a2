"""A set of subgraphs whose composition is known, and its two texts: the supergraph, and each subgraph's own SDL.

Only for made supergraphs: it prints what a composer prints for these cases, and asks the one question that a composer
asks of them (can every field be reached from everywhere).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

HEADER = """schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) {
  query: Query%s
}
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
scalar join__FieldSet
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
"""

SUBGRAPH_HEADER = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@external",'
    ' "@requires", "@provides", "@override", "@interfaceObject"])\n'
)


@dataclass(slots=True)
class Placement:
    """A field in one graph."""

    type: str
    external: bool = False
    requires: str = ""
    provides: str = ""
    override: str = ""
    used_overridden: bool = False  # overridden, but an interface of the graph still needs it there


@dataclass(slots=True)
class MadeField:
    """A field and the graphs that have it."""

    type: str
    arguments: str = ""
    placements: dict[str, Placement] = field(default_factory=dict)
    from_interface_object: bool = False

    def owners(self) -> list[str]:
        """Graphs that resolve it."""
        return [g for g, p in self.placements.items() if not (p.external or p.used_overridden)]


@dataclass(slots=True)
class MadeType:
    """A type and the graphs that have it."""

    kind: str
    graphs: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)  # graph → (key, is resolvable)
    fields: dict[str, MadeField] = field(default_factory=dict)
    implements: dict[str, set[str]] = field(default_factory=dict)  # graph → interfaces
    members: dict[str, set[str]] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    interface_object_in: set[str] = field(default_factory=set)

    def can_enter(self, graph: str) -> bool:
        """Whether entities of the type can be asked there."""
        return any(is_resolvable for _, is_resolvable in self.graphs.get(graph, ()))


@dataclass(slots=True)
class Composed:
    """The whole set."""

    graphs: list[str]
    types: dict[str, MadeType] = field(default_factory=dict)

    def supergraph_sdl(self) -> str:
        """The supergraph, as a composer prints it."""
        mutation = "\n  mutation: Mutation" if "Mutation" in self.types else ""
        graphs = " ".join(
            f'{g.upper()} @join__graph(name: "{g}", url: "http://{g}.invalid/")' for g in self.graphs
        )
        parts = [HEADER % mutation, f"enum join__Graph {{ {graphs} }}"]
        parts += [self._print_type(name, t) for name, t in self.types.items()]
        return "\n".join(parts)

    def subgraph_sdl(self, graph: str) -> str:
        """One subgraph's own SDL: to let another composer check this module."""
        parts = [SUBGRAPH_HEADER]
        parts += [
            self._print_in_subgraph(name, t, graph) for name, t in self.types.items() if graph in t.graphs
        ]
        return "\n".join(filter(None, parts))

    def is_satisfiable(self) -> bool:
        """Whether every field of every entity can be reached from every graph that has the type."""
        return all(self._is_reachable(t) for t in self.types.values() if any(t.graphs.values()))

    def _is_reachable(self, t: MadeType) -> bool:
        owners = {graph for f in t.fields.values() for graph in f.owners()}
        reentered = {g for f in t.fields.values() for g, p in f.placements.items() if p.requires}
        if any(not t.can_enter(graph) for graph in reentered):
            return False
        for start in t.graphs:
            visited = self._visit(t, start)
            if not owners <= visited:
                return False
        return True

    def _visit(self, t: MadeType, start: str) -> set[str]:
        visited = {start}
        while True:
            at_hand = {name for name, f in t.fields.items() if visited & set(f.owners())}
            reached = {
                graph
                for graph, keys in t.graphs.items()
                if graph not in visited and any(ok and top_fields(key) <= at_hand for key, ok in keys)
            }
            if not reached:
                return visited
            visited |= reached

    def _print_type(self, name: str, t: MadeType) -> str:
        rows = "".join(f"\n  {row}" for row in self._type_rows(t))
        if t.kind == "union":
            rows += "".join(
                f'\n  @join__unionMember(graph: {g.upper()}, member: "{m}")'
                for g in t.members
                for m in sorted(t.members[g])
            )
            return f"union {name}{rows} = " + " | ".join(sorted(set().union(*t.members.values())))
        if t.kind == "enum":
            values = " ".join(
                v + "".join(f" @join__enumValue(graph: {g.upper()})" for g in t.graphs) for v in t.values
            )
            return f"enum {name}{rows} {{ {values} }}"
        for graph, interfaces in t.implements.items():
            rows += "".join(
                f'\n  @join__implements(graph: {graph.upper()}, interface: "{i}")' for i in sorted(interfaces)
            )
        implemented = " & ".join(sorted(set().union(*t.implements.values()))) if t.implements else ""
        head = f"{'type' if t.kind == 'object' else t.kind} {name}"
        head += f" implements {implemented}" if implemented else ""
        fields = "\n".join("  " + self._print_field(t, n, f) for n, f in t.fields.items())
        return f"{head}{rows} {{\n{fields}\n}}"

    def _type_rows(self, t: MadeType) -> Iterator[str]:
        for graph, keys in t.graphs.items():
            extra = ", isInterfaceObject: true" if graph in t.interface_object_in else ""
            if not keys:
                yield f"@join__type(graph: {graph.upper()}{extra})"
            for key, is_resolvable in keys:
                resolvable = "" if is_resolvable else ", resolvable: false"
                yield f'@join__type(graph: {graph.upper()}, key: "{key}"{resolvable}{extra})'

    def _print_field(self, t: MadeType, name: str, f: MadeField) -> str:
        arguments = f"({f.arguments})" if f.arguments else ""
        text = f"{name}{arguments}: {f.type}"
        if f.from_interface_object:
            return text + " @join__field"
        types_differ = len({p.type for p in f.placements.values()}) > 1
        plain = not any(
            p.external or p.requires or p.provides or p.override or p.used_overridden
            for p in f.placements.values()
        )
        if plain and not types_differ and f.placements.keys() == t.graphs.keys():
            return text
        for graph, placement in f.placements.items():
            said = [f"graph: {graph.upper()}"]
            said += [f'requires: "{placement.requires}"'] if placement.requires else []
            said += [f'provides: "{placement.provides}"'] if placement.provides else []
            said += [f'type: "{placement.type}"'] if types_differ else []
            said += ["external: true"] if placement.external else []
            said += [f'override: "{placement.override}"'] if placement.override else []
            said += ["usedOverridden: true"] if placement.used_overridden else []
            text += f" @join__field({', '.join(said)})"
        return text

    def _print_in_subgraph(self, name: str, t: MadeType, graph: str) -> str:
        if t.kind == "union":
            return (
                f"union {name} = " + " | ".join(sorted(t.members.get(graph, ())))
                if t.members.get(graph)
                else ""
            )
        if t.kind == "enum":
            return f"enum {name} {{ {' '.join(t.values)} }}"
        is_object = t.kind == "object" or graph in t.interface_object_in
        head = f"{'type' if is_object else t.kind} {name}"
        interfaces = t.implements.get(graph)
        head += f" implements {' & '.join(sorted(interfaces))}" if interfaces else ""
        head += " @interfaceObject" if graph in t.interface_object_in else ""
        for key, is_resolvable in t.graphs[graph]:
            head += f' @key(fields: "{key}"{"" if is_resolvable else ", resolvable: false"})'
        key_fields = (
            set().union(*(top_fields(key) for key, _ in t.graphs[graph])) if t.graphs[graph] else set()
        )
        lines = []
        for field_name, f in t.fields.items():
            placement = f.placements.get(graph)
            overridden = [p for p in f.placements.values() if p.override == graph]
            if placement is None and not overridden:
                continue
            shown = placement or Placement(f.type)
            arguments = f"({f.arguments})" if f.arguments else ""
            line = f"  {field_name}{arguments}: {shown.type}"
            line += " @external" if shown.external else ""
            line += f' @requires(fields: "{shown.requires}")' if shown.requires else ""
            line += f' @provides(fields: "{shown.provides}")' if shown.provides else ""
            line += f' @override(from: "{shown.override}")' if shown.override else ""
            # A provided field counts as resolved in two graphs, so its owner must share it.
            if (
                is_object
                and len(f.placements) > 1
                and not (shown.external or overridden)
                and field_name not in key_fields
            ):
                line += " @shareable"
            lines.append(line)
        return f"{head} {{\n" + "\n".join(lines) + "\n}" if lines else ""


def top_fields(key: str) -> set[str]:
    """Names at the top level of a field set."""
    names: set[str] = set()
    depth = 0
    for token in key.replace("{", " { ").replace("}", " } ").split():
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth == 0 and token not in "{}":
            names.add(token)
    return names
