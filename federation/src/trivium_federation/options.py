"""Bounds and switches of one engine. Every cache, search and answer has a stated cap."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operation or a subgraph's answer may be at most. `*_fields` count a fragment at each place it is used."""

    max_document_bytes: int = 64 * 1024
    max_tokens: int = 4_000
    max_depth: int = 40
    max_aliases: int = 200
    max_directives: int = 200
    max_root_fields: int = 100
    max_fields: int = 4_000
    max_variables_bytes: int = 1024 * 1024
    max_variable_depth: int = 32
    max_subgraph_answer_bytes: int = 32 * 1024 * 1024
    max_entities_per_request: int = 10_000
    max_planned_positions: int = 20_000


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How one engine behaves.

    `interpret_only` switches compiled plans off: the interpreter is the reference. `compile_at_use`: the use of a plan
    at which it is compiled; 1 is the first.
    """

    interpret_only: bool = False
    compile_at_use: int = 1
    allow_introspection: bool = True
    limits: Limits = field(default_factory=Limits)
    planning_timeout_s: float = 1.0
    plan_cache_entries: int = 1_000
    plan_cache_bytes: int = 64 * 1024 * 1024
    max_variants_per_document: int = 32
