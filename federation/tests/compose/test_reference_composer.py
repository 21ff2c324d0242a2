"""The reference composer from npm as an oracle: equal verdicts and equal schemas, on right and on nearly right sets."""

import random
from collections.abc import Sequence

import pytest
from composer_oracle.cases import read_cases
from composer_oracle.compare import find_difference
from composer_oracle.mutate import mutate
from composer_oracle.reference import compose_by_reference, install_reference
from federation_fuzz.made import make_composed

from trivium_federation.compose import SubgraphSchema, compose

MADE_SETS = 150
CHANGED_SETS = 450

pytestmark = pytest.mark.conformance


def _made(seed: int) -> dict[str, str]:
    composed = make_composed(seed)
    sdls = {graph: composed.subgraph_sdl(graph) for graph in composed.graphs}
    return {
        graph: sdl.replace('"@interfaceObject"]', '"@interfaceObject", "@inaccessible", "@tag"]')
        for graph, sdl in sdls.items()
    }


def _schemas(sdls: dict[str, str]) -> list[SubgraphSchema]:
    return [SubgraphSchema(name, f"http://{name}.invalid/", sdl) for name, sdl in sdls.items()]


def _differences(sets: Sequence[Sequence[SubgraphSchema]]) -> dict[int, str]:
    answers = compose_by_reference(install_reference(), sets)
    assert len(answers) == len(sets)
    found = {i: find_difference(compose(s), a) for i, (s, a) in enumerate(zip(sets, answers, strict=True))}
    return {i: text for i, text in found.items() if text}


def test_written_sets_are_composed_as_the_reference_does_unless_explained() -> None:
    """Each case of cases.txt; a difference must be explained there, and an explained one must exist."""
    cases = read_cases()
    differences = _differences([case.schemas() for case in cases])
    unexplained = {cases[i].name: text for i, text in differences.items() if not cases[i].differs}
    assert not unexplained, "\n\n".join(f"{name}: {text}" for name, text in unexplained.items())
    assert {cases[i].name for i in differences} == {case.name for case in cases if case.differs}


def test_made_sets_are_composed_as_the_reference_does() -> None:
    """Sets that are right."""
    differences = _differences([_schemas(_made(seed)) for seed in range(MADE_SETS)])
    assert not differences, differences


def test_changed_sets_are_composed_or_refused_as_the_reference_does() -> None:
    """Sets with one to three changes: about two thirds are wrong."""
    sets = [_schemas(mutate(random.Random(i), _made(i // 3))) for i in range(CHANGED_SETS)]
    differences = _differences(sets)
    assert not differences, "\n\n".join(
        f"{i}: {text}\n" + "\n".join(f"--- {s.name}\n{s.sdl}" for s in sets[i])
        for i, text in differences.items()
    )
