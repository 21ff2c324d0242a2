"""How large an operation may be, told from its document alone and in linear time."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from trivium_common.errors import CallerFault


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """Bounds of one request. Depth does not count fragments themselves but what they hold."""

    max_query_chars: int = 32_768
    max_tokens: int = 2_000
    max_depth: int = 10
    max_aliases: int = 30
    max_root_fields: int = 20
    max_validation_errors: int = 5
    # The standard introspection query is 13 deep; it is only there outside of production.
    max_introspection_depth: int = 16


class LimitExceeded(CallerFault):
    """The operation is larger than one request may be; the extensions say which limit, value and maximum."""

    code = "graphql_limit_exceeded"
    status = 400
    title = "The operation is too large"

    def __init__(self, limit: str, value: int, maximum: int) -> None:
        super().__init__(
            f"the operation has {limit} {value}, the maximum is {maximum}",
            extensions={"limit": limit, "value": value, "maximum": maximum},
        )


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    fields: int = 0


def check_limits(document: DocumentNode, limits: OperationLimits) -> None:
    """Pass when every operation of `document` is within `limits`.

    A fragment counts wherever it is spread, is measured once, and counts as empty inside itself (validation
    refuses such cycles). Raises: LimitExceeded.
    """
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    meter = _Meter(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size = meter.measure(definition.selection_set)
            _require("depth", size.depth, limits.max_depth)
            _require("introspection depth", size.introspection_depth, limits.max_introspection_depth)
            _require("aliases", size.aliases, limits.max_aliases)
            _require("root fields", size.fields, limits.max_root_fields)


def _require(limit: str, value: int, maximum: int) -> None:
    if value > maximum:
        raise LimitExceeded(limit, value, maximum)


class _Meter:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._measured: dict[str, _Size] = {}

    def measure(self, selection_set: SelectionSetNode | None) -> _Size:
        """Depth below, aliases below, and how many fields are directly in it (through fragments)."""
        depth = introspection_depth = aliases = fields = 0
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FieldNode):
                below = self.measure(selection.selection_set)
                own = _Size(below.depth + 1, 0, below.aliases + (selection.alias is not None), 1)
                if selection.name.value.startswith("__"):
                    own = _Size(0, own.depth, own.aliases, 1)
                else:
                    own = _Size(own.depth, below.introspection_depth, own.aliases, 1)
            elif isinstance(selection, FragmentSpreadNode):
                own = self._measure_fragment(selection.name.value)
            else:
                assert isinstance(selection, InlineFragmentNode)  # noqa: S101 - the grammar knows no fourth kind
                own = self.measure(selection.selection_set)
            depth = max(depth, own.depth)
            introspection_depth = max(introspection_depth, own.introspection_depth)
            aliases += own.aliases
            fields += own.fields
        return _Size(depth, introspection_depth, aliases, fields)

    def _measure_fragment(self, name: str) -> _Size:
        size = self._measured.get(name)
        if size is None:
            self._measured[name] = _Size()  # what the fragment counts for inside itself
            fragment = self._fragments.get(name)
            size = self._measured[name] = self.measure(fragment.selection_set) if fragment else _Size()
        return size
