"""Merges arguments and input fields: clients see what all subgraphs accept."""

from __future__ import annotations

from collections.abc import Sequence

from graphql import print_ast

from trivium_federation.compose.merge.applied import merge_description, merge_directives
from trivium_federation.compose.merge.model import FieldRow, MergedInput
from trivium_federation.compose.merge.references import merge_input
from trivium_federation.compose.merge.state import Merging, describe, listed, places_of
from trivium_federation.compose.source import Source, SourceInput

Part = tuple[Source, SourceInput]


def merge_arguments(
    merging: Merging, at: str, owners: Sequence[tuple[Source, dict[str, SourceInput]]]
) -> dict[str, MergedInput]:
    """The arguments that every subgraph has."""
    return _merge_common(
        merging,
        at,
        owners,
        missing=("REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH", "INCONSISTENT_ARGUMENT_PRESENCE"),
        codes=("FIELD_ARGUMENT_TYPE_MISMATCH", "FIELD_ARGUMENT_DEFAULT_MISMATCH"),
        form="{at}({name}:)",
    )


def merge_input_fields(
    merging: Merging, at: str, owners: Sequence[tuple[Source, dict[str, SourceInput]]]
) -> dict[str, MergedInput]:
    """The input fields that every subgraph has."""
    merged = _merge_common(
        merging,
        at,
        owners,
        missing=("REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH", "INCONSISTENT_INPUT_OBJECT_FIELD"),
        codes=("FIELD_TYPE_MISMATCH", "INPUT_FIELD_DEFAULT_MISMATCH"),
        form="{at}.{name}",
    )
    for name, found in merged.items():
        types = [(source.graph_id, str(inputs[name].type)) for source, inputs in owners]
        if len({text for _, text in types}) > 1:
            found.rows = [FieldRow(graph, text) for graph, text in types]
    return merged


def _merge_common(
    merging: Merging,
    at: str,
    owners: Sequence[tuple[Source, dict[str, SourceInput]]],
    *,
    missing: tuple[str, str],
    codes: tuple[str, str],
    form: str,
) -> dict[str, MergedInput]:
    merged: dict[str, MergedInput] = {}
    for name in dict.fromkeys(name for _, inputs in owners for name in inputs):
        what = form.format(at=at, name=name)
        parts = [(source, inputs[name]) for source, inputs in owners if name in inputs]
        absent = [source.name for source, inputs in owners if name not in inputs]
        if not absent:
            merged[name] = _merge_one(merging, what, parts, codes)
            continue
        requiring = [source.name for source, part in parts if part.type.non_null and part.default is None]
        places = places_of(parts)
        if requiring:
            message = f"{what} is required in {listed(requiring)}, but {listed(absent)} lacks it"
            merging.problems.error(missing[0], message, *places)
        else:
            message = f"{what} is missing in {listed(absent)}, so clients do not see it"
            merging.problems.hint(missing[1], message, *places)
    return merged


def _merge_one(merging: Merging, what: str, parts: Sequence[Part], codes: tuple[str, str]) -> MergedInput:
    places = places_of(parts)
    merged_type = merge_input([part.type for _, part in parts])
    if merged_type is None:
        types = describe((source.name, part.type) for source, part in parts)
        merging.problems.error(codes[0], f"{what} is of types that do not go together: {types}", *places)
        merged_type = parts[0][1].type
    merging.input_types.add(merged_type.name)
    return MergedInput(
        name=parts[0][1].name,
        description=merge_description(
            merging, what, [(p, part.description) for p, (_, part) in zip(places, parts, strict=True)]
        ),
        directives=merge_directives(merging, parts),
        places=places,
        type=merged_type,
        default=_merge_default(merging, what, parts, codes[1]),
    )


def _merge_default(merging: Merging, what: str, parts: Sequence[Part], code: str) -> str | None:
    texts = [print_ast(part.default) if part.default is not None else None for _, part in parts]
    given = {text for text in texts if text is not None}
    if len(given) > 1:
        defaults = describe(
            (source.name, text) for (source, _), text in zip(parts, texts, strict=True) if text
        )
        merging.problems.error(code, f"{what} has different defaults: {defaults}", *places_of(parts))
        return texts[0]
    if given and None in texts:
        message = f"{what} has the default {given.pop()} only in some subgraphs, so it has none"
        merging.problems.hint("INCONSISTENT_DEFAULT_VALUE_PRESENCE", message, *places_of(parts))
        return None
    return given.pop() if given else None
