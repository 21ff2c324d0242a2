"""Merges a selection into the planner's normal form. Conditions are decided here, so a plan has none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphql import print_ast
from graphql.language import ast

from trivium_federation.operation.selection import TYPENAME, KeySpace, SelectedField, Selection
from trivium_federation.supergraph.model import Supergraph

Groups = dict[str, tuple[ast.FieldNode, list[ast.SelectionSetNode]]]


def is_included(node: ast.Node, conditions: Mapping[str, bool]) -> bool:
    """Whether @skip and @include let `node` stand, with `conditions` as the values of the variables in them."""
    for directive in getattr(node, "directives", None) or ():
        name = directive.name.value
        if name not in ("skip", "include"):
            continue
        value = directive.arguments[0].value
        is_set = conditions[value.name.value] if isinstance(value, ast.VariableNode) else value.value
        if is_set == (name == "skip"):
            return False
    return True


class Normaliser:
    """Builds `Selection`s of one operation (or field set). Equal inputs give the same object back."""

    def __init__(
        self,
        supergraph: Supergraph,
        fragments: Mapping[str, ast.FragmentDefinitionNode],
        conditions: Mapping[str, bool],
        keys: KeySpace,
    ) -> None:
        self._supergraph = supergraph
        self._fragments = fragments
        self._conditions = conditions
        self._keys = keys
        self._known: dict[tuple[str, tuple[int, ...]], Selection] = {}

    def select(self, type_name: str, nodes: Sequence[ast.SelectionSetNode]) -> Selection:
        """The merged selection of `nodes` on a value of `type_name`."""
        memo = type_name, tuple(map(id, nodes))
        known = self._known.get(memo)
        if known is not None:
            return known
        selection = self._known[memo] = Selection(type_name)
        general: Groups = {}
        specific: dict[str, list[ast.SelectionSetNode]] = {}
        seen: set[tuple[str, ...]] = set()
        for node in nodes:
            self._gather(type_name, node, general, specific, seen)
        selection.fields = self._fields(type_name, general)
        for concrete, parts in specific.items():
            groups: Groups = {}
            visited: set[tuple[str, ...]] = set()
            for part in parts:
                self._gather(concrete, part, groups, {}, visited)
            fields = self._fields(concrete, groups)
            if fields:
                selection.by_type[concrete] = fields
            else:
                selection.by_type.setdefault(concrete, {})
        return selection

    def _gather(
        self,
        type_name: str,
        node: ast.SelectionSetNode,
        general: Groups,
        specific: dict[str, list[ast.SelectionSetNode]],
        seen: set[tuple[str, ...]],
    ) -> None:
        """Sort the parts of a selection set: what holds for `type_name`, and what only for some concrete types."""
        for part in node.selections:
            if not is_included(part, self._conditions):
                continue
            if isinstance(part, ast.FieldNode):
                self._add_field(part, general)
                continue
            if isinstance(part, ast.FragmentSpreadNode):
                if (part.name.value,) in seen:
                    continue
                seen.add((part.name.value,))
                fragment = self._fragments[part.name.value]
                condition: str | None = fragment.type_condition.name.value
                body = fragment.selection_set
            else:
                assert isinstance(part, ast.InlineFragmentNode)  # noqa: S101 - the third and last kind
                condition = part.type_condition.name.value if part.type_condition else None
                body = part.selection_set
            if condition is None or self._supergraph.always_applies(type_name, condition):
                self._gather(type_name, body, general, specific, seen)
            else:
                for concrete in self._overlap(type_name, condition):
                    specific.setdefault(concrete, []).append(body)

    def _overlap(self, type_name: str, condition: str) -> Iterable[str]:
        if not self._supergraph.types[type_name].is_abstract:
            return ()
        wanted = set(self._supergraph.possible_of(condition))
        return [t for t in self._supergraph.possible_of(type_name) if t in wanted]

    def _add_field(self, node: ast.FieldNode, groups: Groups) -> None:
        name = node.name.value
        response_key = node.alias.value if node.alias else name
        key = self._keys.key(name, arguments_text(node), response_key)
        group = groups.setdefault(key, (node, []))
        if node.selection_set is not None:
            group[1].append(node.selection_set)

    def _fields(self, type_name: str, groups: Groups) -> dict[str, SelectedField]:
        fields: dict[str, SelectedField] = {}
        info = self._supergraph.types[type_name]
        for key, (node, bodies) in groups.items():
            name = node.name.value
            child: Selection | None = None
            if name.startswith("__") and name != TYPENAME:
                continue  # introspection is answered locally
            if bodies:
                child = self.select(info.fields[name].type.name, bodies)
            fields[key] = SelectedField(name, key, arguments_text(node), _variables(node), child)
        return fields


def arguments_text(node: ast.FieldNode) -> str:
    """The canonical text of a field's arguments: `(a:1,b:$x)` in the order of their names, or nothing."""
    if not node.arguments:
        return ""
    parts = sorted((a.name.value, print_ast(a.value)) for a in node.arguments)
    return "(" + ",".join(f"{name}:{value}" for name, value in parts) + ")"


def _variables(node: ast.FieldNode) -> tuple[str, ...]:
    found: dict[str, None] = {}
    stack: list[ast.ValueNode] = [a.value for a in node.arguments or ()]
    while stack:
        value = stack.pop()
        if isinstance(value, ast.VariableNode):
            found[value.name.value] = None
        elif isinstance(value, ast.ListValueNode):
            stack.extend(value.values)
        elif isinstance(value, ast.ObjectValueNode):
            stack.extend(f.value for f in value.fields)
    return tuple(sorted(found))
