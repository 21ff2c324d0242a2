"""Merges all subgraphs: types first, enum values and contributed fields once everything else is known."""

from __future__ import annotations

from collections.abc import Sequence

from trivium_federation.compose.facts import Facts
from trivium_federation.compose.merge.applied import merge_directives
from trivium_federation.compose.merge.directives import find_composed, merge_executable
from trivium_federation.compose.merge.model import MergedSchema
from trivium_federation.compose.merge.overrides import find_overrides
from trivium_federation.compose.merge.state import Merging, most_common
from trivium_federation.compose.merge.types import (
    add_interface_object_fields,
    guard_interfaces,
    merge_enum_values,
    merge_type,
)
from trivium_federation.compose.problems import Problems
from trivium_federation.compose.source import HasDirectives, Source


def merge_schemas(sources: Sequence[Source], facts: Sequence[Facts], problems: Problems) -> MergedSchema:
    """One schema out of all; what does not go together is told in `problems` and left out."""
    merging = Merging(sources, facts, find_overrides(sources, facts, problems), problems)
    merging.gather()
    schema = MergedSchema([(s.graph_id, s.name, s.subgraph.url) for s in sources])
    find_composed(merging, schema)
    for name in sorted(merging.declared):
        merged = merge_type(merging, name)
        if merged is not None:
            schema.types[name] = merged
    for merged in schema.types.values():
        if merged.kind == "enum":
            merge_enum_values(merging, merged)
    add_interface_object_fields(merging, schema.types)
    guard_interfaces(merging, schema.types)
    merge_executable(merging, schema)
    schema.schema_directives = merge_directives(merging, [(s, _OnSchema(s)) for s in sources])
    schema.description = most_common(s.description for s in sources)
    schema.specs = merging.specs
    schema.roots = {
        operation: name for s in sources for operation, name in s.roots.items() if name in schema.types
    }
    schema.has_labels = any(label for _, label in merging.overrides.taking.values())
    return schema


class _OnSchema(HasDirectives):
    """The schema definition of a subgraph, as something that has directives."""

    def __init__(self, source: Source) -> None:
        self.directives = [d for d in source.schema_directives if d.name != "composeDirective"]
