"""The federated answer equals that of one plain schema over the same data, whatever is asked.

The short run takes about a minute with fixed seeds; `make conformance` runs more of the same, with the audit's
supergraphs where AUDIT_DIR or AUDIT_URL names them, and `make fuzz` (`python -m federation_fuzz`) runs for hours.
A failure is shrunk and written to FUZZ_FAILURES (default: /tmp/fuzz-failures); `--again FILE` runs it again.
"""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest
from federation_fuzz.campaign import Source, Tally, run_campaign
from federation_fuzz.report import describe, write_failure
from federation_fuzz.sources import audit_sources, random_sources, written_sources

_FAILURES = Path(os.environ.get("FUZZ_FAILURES", "/tmp/fuzz-failures"))


def _expect_no_difference(sources: Iterable[Source], seed: int, per_supergraph: int, at_least: int) -> None:
    tally = Tally()
    for bench, difference in run_campaign(sources, seed, per_supergraph, tally):
        path = write_failure(_FAILURES, bench, difference)
        pytest.fail(f"{describe(bench, difference)}\nwritten to {path}")
    assert tally.operations >= at_least, tally.to_text()
    assert not tally.unusable, tally.unusable


@pytest.mark.parametrize("seed", range(4))
def test_written_supergraphs_answer_like_one_plain_schema(seed: int) -> None:
    """Each seed is other data, with nulls and failing fields by turns, and other operations."""
    _expect_no_difference(written_sources(), seed, per_supergraph=25, at_least=100)


def test_random_supergraphs_answer_like_one_plain_schema() -> None:
    """Supergraphs that nobody thought of."""
    _expect_no_difference(random_sources(7, 30), 7, per_supergraph=20, at_least=500)


@pytest.mark.conformance
@pytest.mark.parametrize("seed", range(100, 103))
def test_many_more_operations_answer_like_one_plain_schema(seed: int) -> None:
    """The same over more random supergraphs, and over the public audit's where it is at hand."""
    sources = chain(written_sources(), audit_sources(), random_sources(seed, 60))
    _expect_no_difference(sources, seed, per_supergraph=40, at_least=2000)
