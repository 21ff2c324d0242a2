"""Every rule of composition has a set that breaks it, and the exact place where that is said."""

import re
from pathlib import Path

import pytest
from composer_oracle.cases import Case, read_cases

import trivium_federation.compose
from trivium_federation.compose import compose
from trivium_federation.compose.advice import ADVICE

CASES = read_cases()
# What only a fault of the composer itself could bring about, or what another test of this folder shows.
ELSEWHERE = {
    "INVALID_FEDERATION_SUPERGRAPH",
    "OPTIONAL_SOURCE_FEEDS_NON_NULL",
    "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_composition_gives_the_expected_verdict_at_the_expected_place(case: Case) -> None:
    """All errors with their first places, or a supergraph with its hints."""
    composition = compose(case.schemas())
    errors = [f"{e.code} at {e.places[0] if e.places else '-'}" for e in composition.errors]
    assert ("; ".join(errors) or "composes") == case.expect, "\n".join(map(str, composition.errors))
    assert composition.is_composed is not bool(errors)
    if not errors:
        assert {hint.code for hint in composition.hints} == case.hints


def test_every_code_that_is_raised_has_a_case_and_advice() -> None:
    """No error is thought of and then never seen by a test, and none leaves its reader without help."""
    package = Path(trivium_federation.compose.__file__).parent
    source = "\n".join(p.read_text() for p in package.rglob("*.py") if p.name != "advice.py")
    literal = set(re.findall(r'(?:error|hint)\(\s*"([A-Z_]+)"', source))
    seen = {code for case in CASES for code in re.findall(r"([A-Z_]{6,}) at ", case.expect)}
    seen |= {code for case in CASES for code in case.hints}
    assert literal - seen - ELSEWHERE == set()
    assert (literal | seen) - ADVICE.keys() == set()
    assert ADVICE.keys() - seen - ELSEWHERE == set()
