"""Refuses operations that are too big, in time linear in their text, before anything expensive looks at them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from graphql.language import ast

from trivium_federation.errors import RequestError
from trivium_federation.options import Limits

# One match per token, comments aside: enough to count them without the parser's cost.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"?|\.\.\.|[!$&():=@\[\]{|}]|[\w.+-]+|#[^\n]*',
    re.ASCII | re.DOTALL,
)


def check_tokens(text: str, limits: Limits) -> None:
    """Raises: RequestError if the text has too many tokens, after looking at no more of it than that."""
    tokens = (m for m in _TOKEN.finditer(text) if text[m.start()] != "#")
    if sum(1 for _ in islice(tokens, limits.max_tokens + 1)) > limits.max_tokens:
        raise RequestError.of("MAX_TOKENS", f"the document has more than {limits.max_tokens} tokens")


@dataclass(frozen=True, slots=True)
class Size:
    """What a selection amounts to when every fragment is written out where it is used."""

    fields: int
    depth: int
    aliases: int
    directives: int


def check_size(
    operation: ast.OperationDefinitionNode,
    fragments: Mapping[str, ast.FragmentDefinitionNode],
    limits: Limits,
) -> None:
    """Raises: RequestError naming the limit that is exceeded."""
    size = _Measure(fragments, limits).measure(operation.selection_set, 0)
    checks = (
        ("MAX_FIELDS", size.fields, limits.max_fields, "fields"),
        ("MAX_DEPTH", size.depth, limits.max_depth, "levels"),
        ("MAX_ALIASES", size.aliases, limits.max_aliases, "aliases"),
        ("MAX_DIRECTIVES", size.directives, limits.max_directives, "directives"),
        ("MAX_ROOT_FIELDS", _root_fields(operation, fragments), limits.max_root_fields, "root fields"),
    )
    for code, found, allowed, what in checks:
        if found > allowed:
            raise RequestError.of(code, f"the operation has more than {allowed} {what}")


class _Measure:
    """Measures each fragment once, so that nested and reused fragments cost no more than their text."""

    def __init__(self, fragments: Mapping[str, ast.FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments = fragments
        self._known: dict[str, Size] = {}
        self._open: set[str] = set()
        # Inline fragments nest without fields; the parser's own depth is bounded by this too.
        self._max_nesting = 4 * limits.max_depth

    def measure(self, node: ast.SelectionSetNode, nesting: int) -> Size:
        if nesting > self._max_nesting:
            raise RequestError.of("MAX_DEPTH", "the operation nests too deeply")
        fields = depth = aliases = directives = 0
        for part in node.selections:
            directives += len(part.directives or ())
            if isinstance(part, ast.FieldNode):
                aliases += part.alias is not None
                child = _EMPTY
                if part.selection_set is not None:
                    child = self.measure(part.selection_set, nesting + 1)
                fields += 1
                depth = max(depth, 1 + child.depth)
            elif isinstance(part, ast.InlineFragmentNode):
                child = self.measure(part.selection_set, nesting + 1)
                depth = max(depth, child.depth)
            else:
                assert isinstance(part, ast.FragmentSpreadNode)  # noqa: S101 - the third and last kind
                child = self._fragment(part.name.value, nesting + 1)
                depth = max(depth, child.depth)
            fields += child.fields
            aliases += child.aliases
            directives += child.directives
        return Size(fields, depth, aliases, directives)

    def _fragment(self, name: str, nesting: int) -> Size:
        fragment = self._fragments.get(name)
        if fragment is None:
            return _EMPTY  # validation says it better
        if name in self._open:
            raise RequestError.of(
                "GRAPHQL_VALIDATION_FAILED", f"Cannot spread fragment '{name}' within itself."
            )
        known = self._known.get(name)
        if known is None:
            self._open.add(name)
            known = self._known[name] = self.measure(fragment.selection_set, nesting)
            self._open.discard(name)
        return known


_EMPTY = Size(0, 0, 0, 0)


def _root_fields(
    operation: ast.OperationDefinitionNode, fragments: Mapping[str, ast.FragmentDefinitionNode]
) -> int:
    count, stack, seen = 0, [operation.selection_set], set[str]()
    while stack:
        for part in stack.pop().selections:
            if isinstance(part, ast.FieldNode):
                count += 1
            elif isinstance(part, ast.InlineFragmentNode):
                stack.append(part.selection_set)
            elif isinstance(part, ast.FragmentSpreadNode):
                name = part.name.value
                if name in fragments and name not in seen:
                    seen.add(name)
                    stack.append(fragments[name].selection_set)
    return count
