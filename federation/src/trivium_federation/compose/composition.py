"""Composes: read, upgrade, check each subgraph, merge, check the whole, print, and search for what nobody could answer."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache

from trivium_federation.compose.check_definitions import check_definitions
from trivium_federation.compose.check_graphql import check_graphql
from trivium_federation.compose.check_merged import check_merged
from trivium_federation.compose.check_names import check_names
from trivium_federation.compose.check_satisfiable import check_satisfiable
from trivium_federation.compose.check_subgraph import check_subgraph
from trivium_federation.compose.facts import find_facts
from trivium_federation.compose.federation1 import upgrade_all
from trivium_federation.compose.lint import lint_optional_sources
from trivium_federation.compose.merge.schema import merge_schemas
from trivium_federation.compose.printing import print_definitions
from trivium_federation.compose.problems import Problem, Problems
from trivium_federation.compose.read import graph_ids, read_source
from trivium_federation.compose.source import Source, SubgraphSchema


@dataclass(frozen=True, slots=True)
class Composition:
    """The outcome: a supergraph, or errors. Hints come with either."""

    supergraph_sdl: str | None
    errors: tuple[Problem, ...]
    hints: tuple[Problem, ...]

    @property
    def is_composed(self) -> bool:
        """Whether there is a supergraph."""
        return self.supergraph_sdl is not None


def compose(subgraphs: Sequence[SubgraphSchema], *, optional: frozenset[str] = frozenset()) -> Composition:
    """Compose subgraphs into one supergraph, or tell everything that is in the way. Never raises for a bad schema.

    optional: names of subgraphs whose outage clients should survive; their fields are checked for what they would null.
    """
    with _without_collecting():
        return _compose(subgraphs, optional)


def _compose(subgraphs: Sequence[SubgraphSchema], optional: frozenset[str]) -> Composition:
    # 1. Each schema by itself. What was read once is remembered, so an edit costs only its own subgraph.
    problems = Problems()
    ordered = sorted(subgraphs, key=lambda s: s.name)
    check_names(ordered, problems)
    found: list[Source] = []
    for schema, graph_id in zip(ordered, graph_ids(s.name for s in ordered), strict=True):
        source, own = _read(schema)
        problems.add(own)
        if source is not None:
            found.append(replace(source, graph_id=graph_id))
    # 2. The rules of federation in each subgraph.
    sources = upgrade_all(found, problems)
    facts = [find_facts(source) for source in sources]
    for source, known in zip(sources, facts, strict=True):
        check_subgraph(source, known, problems)
    if problems.errors:
        return _refused(problems)
    # 3. All of them together.
    merged = merge_schemas(sources, facts, problems)
    check_merged(merged, sources, problems)
    if problems.errors:
        return _refused(problems)
    # 4. The supergraph, loaded back as the engine will load it, and every path through it.
    definitions = print_definitions(merged)
    check_satisfiable(definitions, sources, problems)
    if problems.errors:
        return _refused(problems)
    lint_optional_sources(merged, optional, problems)
    return Composition("\n\n".join(definitions) + "\n", (), problems.hints)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Composition makes millions of small objects and hardly a cycle: half its time would be the collector's."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@lru_cache(maxsize=256)
def _read(schema: SubgraphSchema) -> tuple[Source | None, tuple[Problem, ...]]:
    problems = Problems()
    source = read_source(schema, problems)
    if source is not None and not problems.errors:
        check_graphql(source, problems)
        check_definitions(source, problems)
    return source, problems.all


def _refused(problems: Problems) -> Composition:
    return Composition(None, problems.errors, problems.hints)
