"""Makes a failing operation small: parts are taken away as long as the same kind of difference stays."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from federation_fuzz.operations import Operation

_BUDGET_S = 20.0


def shrink(
    operation: Operation, still_fails: Callable[[Operation], bool], budget_s: float = _BUDGET_S
) -> Operation:
    """The smallest operation found within the budget; `still_fails` must refuse invalid ones."""
    give_up_at = time.monotonic() + budget_s
    progress = True
    while progress and time.monotonic() < give_up_at:
        progress = False
        for candidate in _smaller(operation):
            if time.monotonic() > give_up_at:
                break
            if still_fails(candidate):
                operation, progress = candidate, True
                break
    return operation


def _smaller(operation: Operation) -> Iterator[Operation]:
    """Operations with one part less, the largest parts first."""
    document = parse(operation.query)
    yield from _with_fragments_opened(operation, document)
    sites = _count_sites(document)
    for size in (3, 2, 1):
        for start in range(sites):
            edited = _edit(document, range(start, start + size))
            if edited is not None:
                yield _tidy(operation, edited)
    for name in operation.variables:
        value = operation.variables[name]
        for simpler in _simpler_values(value):
            yield replace(operation, variables={**operation.variables, name: simpler})


def _simpler_values(value: Any) -> Iterator[Any]:
    if isinstance(value, list) and value:
        yield []
        yield value[1:]
    elif isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}


class _Sites(Visitor):
    """Numbers every removable part; removes those whose number is in `doomed`.

    A selection, a directive, an argument and an alias can go; an inline fragment can also be replaced by what it holds.
    """

    def __init__(self, doomed: range) -> None:
        super().__init__()
        self.doomed = doomed
        self.count = 0

    def enter(self, node: Node, _key: Any, parent: Any, _path: Any, _ancestors: Any) -> Any:
        is_part = isinstance(node, FieldNode | InlineFragmentNode | FragmentSpreadNode)
        is_part = is_part or node.kind in ("argument", "directive")
        if node.kind == "operation_definition":
            is_part = len(getattr(parent, "definitions", parent) or ()) > 1
        return self.REMOVE if is_part and self._is_doomed() else None

    def leave(self, node: Node, *_rest: Any) -> Any:
        if isinstance(node, FieldNode) and node.alias and self._is_doomed():
            return FieldNode(
                name=node.name,
                arguments=node.arguments,
                directives=node.directives,
                selection_set=node.selection_set,
            )
        if isinstance(node, SelectionSetNode):
            return self._unwrapped(node)
        return None

    def _unwrapped(self, node: SelectionSetNode) -> SelectionSetNode | None:
        selections: list[Any] = []
        for selection in node.selections:
            if isinstance(selection, InlineFragmentNode) and not selection.directives and self._is_doomed():
                selections += selection.selection_set.selections
            else:
                selections.append(selection)
        if len(selections) == len(node.selections):
            return None
        return SelectionSetNode(selections=tuple(selections))

    def _is_doomed(self) -> bool:
        self.count += 1
        return self.count - 1 in self.doomed


def _count_sites(document: DocumentNode) -> int:
    counter = _Sites(range(0))
    visit(document, counter)
    return counter.count


def _edit(document: DocumentNode, doomed: range) -> DocumentNode | None:
    """The document without the doomed parts, None where a selection set would be empty (graphql-core reads those)."""
    edited: DocumentNode = visit(document, _Sites(doomed))
    is_empty = False

    class Look(Visitor):
        def enter_selection_set(self, node: SelectionSetNode, *_rest: Any) -> None:
            nonlocal is_empty
            is_empty = is_empty or not node.selections

    visit(edited, Look())
    return None if is_empty else edited


def _with_fragments_opened(operation: Operation, document: DocumentNode) -> Iterator[Operation]:
    """Each fragment spread replaced by an inline fragment."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    for name, fragment in fragments.items():

        class Open(Visitor):
            def enter_fragment_spread(
                self, node: FragmentSpreadNode, *_rest: Any, name: str = name, fragment: Any = fragment
            ) -> Any:
                if node.name.value != name:
                    return None
                return InlineFragmentNode(
                    type_condition=fragment.type_condition,
                    directives=node.directives,
                    selection_set=fragment.selection_set,
                )

        yield _tidy(operation, visit(document, Open()))


def _tidy(operation: Operation, document: DocumentNode) -> Operation:
    """Drop fragments and variables that nothing uses any more."""
    used = _used_fragments(document)
    kept = [
        d for d in document.definitions if not isinstance(d, FragmentDefinitionNode) or d.name.value in used
    ]
    names = _used_variables(kept)
    definitions: list[Any] = []
    for definition in kept:
        if isinstance(definition, OperationDefinitionNode):
            definition = _with_variables(definition, names)
        definitions.append(definition)
    variables = {name: value for name, value in operation.variables.items() if name in names}
    many = sum(isinstance(d, OperationDefinitionNode) for d in definitions) > 1
    text = print_ast(DocumentNode(definitions=tuple(definitions)))
    return Operation(text, variables, operation.operation_name if many else None)


def _with_variables(operation: OperationDefinitionNode, names: set[str]) -> OperationDefinitionNode:
    kept = tuple(v for v in operation.variable_definitions or () if v.variable.name.value in names)
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=kept,
        directives=operation.directives,
        selection_set=operation.selection_set,
    )


def _used_fragments(document: DocumentNode) -> set[str]:
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    used: set[str] = set()
    waiting: list[Any] = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    while waiting:
        for name in _collect(waiting.pop(), FragmentSpreadNode):
            if name not in used and name in fragments:
                used.add(name)
                waiting.append(fragments[name])
    return used


def _used_variables(definitions: list[Any]) -> set[str]:
    used: set[str] = set()
    for definition in definitions:
        used |= _collect(definition.selection_set, VariableNode)
        for directive in definition.directives or ():
            used |= _collect(directive, VariableNode)
    return used


def _collect(node: Any, kind: type[FragmentSpreadNode] | type[VariableNode]) -> set[str]:
    names: set[str] = set()

    class Collect(Visitor):
        def enter(self, node: Any, *_rest: Any) -> None:
            if isinstance(node, kind):
                names.add(node.name.value)

    visit(node, Collect())
    return names
