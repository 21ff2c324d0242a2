"""The public audit over our own composition: its subgraphs' schemas composed here must answer every case.

Foreign code, as in the audit's own tests: AUDIT_DIR or AUDIT_URL says where it is, and without them this is deselected.
"""

import json
import sys
import urllib.request
from functools import partial

import pytest
from federation_audit.gateways import in_process
from federation_audit.run import run_suites
from federation_audit.server import AuditServer, running_server

from trivium_federation.compose import SubgraphSchema, compose

CASES = 199

pytestmark = pytest.mark.conformance


class ComposingServer(AuditServer):
    """The audit's server, but for the supergraphs, which are composed here."""

    def supergraph_sdl(self, suite: str) -> str:
        """Our composition of the suite's subgraphs. Raises: AssertionError with every error if it is refused."""
        with urllib.request.urlopen(f"{self.url}/{suite}/subgraphs", timeout=30) as answer:
            subgraphs = [SubgraphSchema(s["name"], s["url"], s["sdl"]) for s in json.load(answer)]
        composition = compose(subgraphs)
        assert composition.supergraph_sdl is not None, "\n".join(map(str, composition.errors))
        return composition.supergraph_sdl


@pytest.mark.parametrize("strict_plans", [False, True], ids=["plain", "strict-plans"])
async def test_every_case_of_the_public_audit_is_answered_rightly_over_our_own_composition(
    strict_plans: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """199 of 199, also where the subgraphs punish poor plans."""
    with running_server(strict_plans=strict_plans) as server:
        composing = ComposingServer(server.url)
        score = await run_suites("composed here", composing, partial(in_process, interpret_only=False))
    with capsys.disabled():
        sys.stdout.write(f"\n{score.to_text()}\n")
    assert score.cases >= CASES
    assert not score.failures, score.to_report()
