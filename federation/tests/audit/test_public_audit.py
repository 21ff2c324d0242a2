"""The public federation audit: every one of its cases, in every way that the engine can be asked.

It is foreign code and never part of this repository. `make federation-audit` prepares a checkout and points AUDIT_DIR
to it; AUDIT_URL names a server that runs already. With neither, the tests of this folder are deselected (conftest.py).
"""

import sys
from functools import partial

import pytest
from federation_audit.gateways import OpenGateway, in_process, plain_server
from federation_audit.run import run_suites
from federation_audit.server import running_server

CASES = 199
WAYS: dict[str, OpenGateway] = {
    "interpreted": partial(in_process, interpret_only=True),
    "compiled": partial(in_process, interpret_only=False),
    "server": plain_server,
}

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("strict_plans", [False, True], ids=["plain", "strict-plans"])
@pytest.mark.parametrize("way", WAYS)
async def test_every_case_of_the_public_audit_is_answered_rightly(
    way: str, strict_plans: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """199 of 199, also where the subgraphs punish poor plans."""
    with running_server(strict_plans=strict_plans) as server:
        score = await run_suites(way, server, WAYS[way])
    with capsys.disabled():
        sys.stdout.write(f"\n{score.to_text()}\n")
    assert score.cases >= CASES
    assert not score.failures, score.to_report()
