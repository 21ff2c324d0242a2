"""One edge of their own for the attacks that must see what reaches the upstream; the others use the shared stack."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

sys.path.append(str(Path(__file__).parent / "support"))

from attacked_edge import AttackedEdge
from forger import Forger
from recording_origin import RecordingOrigin
from running_stack import RunningStack

from trivium_cli.stack.processes import EDGE_METRICS_PORT

# The strictest limit is 100 requests a second for a person on the phone.
PACE_S = 0.015


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
    attacked.origin.release.clear()
    return attacked.origin


@pytest.fixture
def forger(attacked: AttackedEdge) -> Forger:
    """Makes tokens for `attacked`."""
    return attacked.forger


class Paced(httpx.HTTPTransport):
    """Requests with a pause, below every limit of the shipped configuration: limits are not what these tests try."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Wait a moment, then send."""
        time.sleep(PACE_S)
        return super().handle_request(request)


@pytest.fixture(scope="session")
def paced_edge(stack: RunningStack) -> Iterator[httpx.Client]:
    """A client of the shared stack's edge that stays below its limits."""
    with httpx.Client(base_url=stack.url("edge"), timeout=40.0, transport=Paced()) as client:
        yield client


@pytest.fixture(scope="session")
def stack_metrics(stack: RunningStack) -> Callable[[str], float]:
    """The sum of the shared edge's samples whose name and labels hold all of some words."""

    def add_up(words: str) -> float:
        url = f"http://127.0.0.1:{EDGE_METRICS_PORT + stack.port_base}/metrics"
        lines = httpx.get(url, timeout=30, trust_env=False).text.splitlines()
        samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
        return sum(float(value) for name, _, value in samples if all(word in name for word in words.split()))

    return add_up


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
