"""The shape of the client's answer: which keys, in which order, of which types. Made from the operation, not the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from graphql.language import ast

from trivium_federation.operation.normalise import arguments_text, is_included
from trivium_federation.operation.selection import TYPENAME, KeySpace
from trivium_federation.supergraph.model import Supergraph, TypeRef

FieldKind = Literal["typename", "leaf", "object", "abstract", "local"]
LeafCheck = Callable[[object], bool]
Nodes = tuple[ast.SelectionSetNode, ...]


@dataclass(frozen=True, slots=True)
class ResponseField:
    """One key of an answer. `key` is where its value lies in the merged data; `parent` and `name` serve messages."""

    response_key: str
    key: str
    name: str
    parent: str
    type: TypeRef
    kind: FieldKind
    check: LeafCheck
    nodes: Nodes


class ResponseShape:
    """Fields of each selection for each type, found when first needed and kept with the plan."""

    def __init__(
        self,
        supergraph: Supergraph,
        fragments: Mapping[str, ast.FragmentDefinitionNode],
        conditions: Mapping[str, bool],
        keys: KeySpace,
        root_type: str,
        root: ast.SelectionSetNode,
    ) -> None:
        self._supergraph = supergraph
        self._fragments = fragments
        self._conditions = conditions
        self._keys = keys
        self._known: dict[tuple[str, tuple[int, ...]], tuple[ResponseField, ...]] = {}
        self._checks: dict[str, LeafCheck] = dict(_CHECKS)
        self._needs_type: dict[tuple[str, tuple[int, ...]], bool] = {}
        self._visible: dict[str, frozenset[str]] = {}
        self.root_type = root_type
        self.root_nodes: Nodes = (root,)

    def fields(self, type_name: str, nodes: Nodes) -> tuple[ResponseField, ...]:
        """The fields to answer for a value of `type_name`. For an abstract name: what holds for all its types."""
        memo = type_name, tuple(map(id, nodes))
        known = self._known.get(memo)
        if known is None:
            groups: dict[str, tuple[ast.FieldNode, list[ast.SelectionSetNode]]] = {}
            seen: set[str] = set()
            for node in nodes:
                self._gather(type_name, node, groups, seen)
            known = self._known[memo] = tuple(
                self._field(type_name, key, node, tuple(bodies)) for key, (node, bodies) in groups.items()
            )
        return known

    def visible_types(self, abstract: str) -> frozenset[str]:
        """The concrete types that a client may see as a value of `abstract`."""
        known = self._visible.get(abstract)
        if known is None:
            types = self._supergraph.types
            possible = self._supergraph.possible_of(abstract)
            known = self._visible[abstract] = frozenset(t for t in possible if not types[t].is_inaccessible)
        return known

    def needs_type(self, abstract: str, nodes: Nodes) -> bool:
        """Whether the answer for a value of `abstract` depends on its concrete type."""
        memo = abstract, tuple(map(id, nodes))
        known = self._needs_type.get(memo)
        if known is None:
            general = self.fields(abstract, nodes)
            keys = [f.response_key for f in general]
            known = self._needs_type[memo] = any(f.kind == "typename" for f in general) or any(
                [f.response_key for f in self.fields(t, nodes)] != keys for t in self.visible_types(abstract)
            )
        return known

    def _gather(
        self,
        type_name: str,
        node: ast.SelectionSetNode,
        groups: dict[str, tuple[ast.FieldNode, list[ast.SelectionSetNode]]],
        seen: set[str],
    ) -> None:
        for part in node.selections:
            if not is_included(part, self._conditions):
                continue
            if isinstance(part, ast.FieldNode):
                key = part.alias.value if part.alias else part.name.value
                group = groups.setdefault(key, (part, []))
                if part.selection_set is not None:
                    group[1].append(part.selection_set)
                continue
            condition: str | None
            if isinstance(part, ast.FragmentSpreadNode):
                if part.name.value in seen:
                    continue
                seen.add(part.name.value)
                fragment = self._fragments[part.name.value]
                condition, body = fragment.type_condition.name.value, fragment.selection_set
            else:
                assert isinstance(part, ast.InlineFragmentNode)  # noqa: S101 - the third and last kind
                condition = part.type_condition.name.value if part.type_condition else None
                body = part.selection_set
            if condition is None or self._supergraph.always_applies(type_name, condition):
                self._gather(type_name, body, groups, seen)

    def _field(self, parent: str, response_key: str, node: ast.FieldNode, nodes: Nodes) -> ResponseField:
        name = node.name.value
        if name == TYPENAME:
            text = TypeRef("String", non_null=True)
            return ResponseField(response_key, TYPENAME, name, parent, text, "typename", _any, ())
        if name.startswith("__"):
            local = TypeRef("String", non_null=False)
            return ResponseField(response_key, response_key, name, parent, local, "local", _any, ())
        declared = self._supergraph.types[parent].fields[name].type
        info = self._supergraph.types[declared.name]
        kind: FieldKind = "abstract" if info.is_abstract else "object" if info.is_composite else "leaf"
        key = self._keys.key(name, arguments_text(node), response_key)
        return ResponseField(
            response_key, key, name, parent, declared, kind, self._check(declared.name), nodes
        )

    def _check(self, type_name: str) -> LeafCheck:
        check = self._checks.get(type_name)
        if check is None:
            info = self._supergraph.types[type_name]
            check = self._checks[type_name] = info.enum_values.__contains__ if info.kind == "enum" else _any
        return check

    def has_root(self, kind: FieldKind) -> bool:
        """Whether the operation's root asks for a field of `kind`."""
        return any(f.kind == kind for f in self.fields(self.root_type, self.root_nodes))


def _any(_value: object) -> bool:
    return True


def _is_int(value: object) -> bool:
    return type(value) is int


def _is_float(value: object) -> bool:
    return type(value) in (int, float)


def _is_string(value: object) -> bool:
    return type(value) is str


def _is_boolean(value: object) -> bool:
    return type(value) is bool


def _is_id(value: object) -> bool:
    return type(value) in (str, int)


_CHECKS: dict[str, LeafCheck] = {
    "Int": _is_int,
    "Float": _is_float,
    "String": _is_string,
    "Boolean": _is_boolean,
    "ID": _is_id,
}
