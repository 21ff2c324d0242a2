"""One edge of their own for the attacks that must see what reaches the upstream; the others use the shared stack."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

sys.path.append(str(Path(__file__).parent / "support"))

from attacked_edge import AttackedEdge
from forger import Forger
from recording_origin import RecordingOrigin
from running_stack import RunningStack


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedEdge]:
    """An edge before a recording upstream. Whatever is done to it, it must be well at the end."""
    one = AttackedEdge(tmp_path_factory.mktemp("attacked"))
    try:
        one.wait_ready()
        workers = one.workers()
        yield one
        assert one.workers() == workers, "a worker died under attack"
        assert one.origin.faults == [], "the edge sent what a second parser does not read"
        assert [line for line in one.log if line.get("level") == "error"] == []
    finally:
        one.close()


@pytest.fixture
def own_edge(tmp_path: Path) -> Iterator[AttackedEdge]:
    """The same for one test alone, which may end it."""
    one = AttackedEdge(tmp_path)
    try:
        one.wait_ready()
        yield one
    finally:
        one.close()


@pytest.fixture
def origin(attacked: AttackedEdge) -> RecordingOrigin:
    """What stands behind `attacked`. It has forgotten earlier tests."""
    attacked.origin.requests.clear()
    return attacked.origin


@pytest.fixture
def forger(attacked: AttackedEdge) -> Forger:
    """Makes tokens for `attacked`."""
    return attacked.forger


@pytest.fixture(scope="session")
def linus(stack: RunningStack) -> dict[str, dict[str, str]]:
    """Headers of linus (u3) in the browser and on the phone: limits count him apart from other tests' users."""
    secrets = {"web": "web-secret-for-development", "mobile": "mobile-secret-for-development"}
    headers = {}
    for client, secret in secrets.items():
        form = {
            "grant_type": "urn:trivium:development-login",
            "username": "linus",
            "client_id": f"trivium-{client}",
            "client_secret": secret,
        }
        answer = httpx.post(f"{stack.url('identity')}/token", data=form, timeout=30, trust_env=False)
        headers[client] = {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}
    return headers
