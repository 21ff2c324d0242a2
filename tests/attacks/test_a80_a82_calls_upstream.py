"""A80, A82: what becomes of a request whose upstream fails, and how much time it may take."""

import time

import httpx
import pytest
from attacked_edge import AttackedEdge
from recording_origin import RecordingOrigin


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE", "GET"])
def test_a_request_whose_connection_was_reset_is_not_sent_again_if_that_could_matter(
    attacked: AttackedEdge, origin: RecordingOrigin, method: str
) -> None:
    """The upstream had all of it: whether it acted, nobody knows.

    A kept connection that ends may just have been closed at that moment (RFC 9112 §9.3.1): then, and only without
    a body and with an idempotent method, once more over a new one, and marked.
    """
    body = None if method in ("GET", "DELETE") else b"order"
    with httpx.Client(base_url=attacked.url, timeout=30, trust_env=False) as client:
        for number in range(10):
            assert client.request(method, f"/open/{number}/well", content=body).status_code == 200
            answer = client.request(method, f"/open/{number}/reset", content=body)
            assert (answer.status_code, answer.json()["code"]) == (502, "upstream_failed")
    resets = origin.asked_for("/reset")
    first = [request for request in resets if request.header("x-retry-attempt") is None]
    again = [request for request in resets if request.header("x-retry-attempt") == "1"]
    assert (len(first), len(first) + len(again)) == (10, len(resets))
    assert len(again) == (0 if body else 10)


def test_when_every_call_fails_there_is_hardly_a_call_more(
    attacked: AttackedEdge, origin: RecordingOrigin
) -> None:
    """A81: at most 1.2 calls for each request of a client, counted at the upstream."""
    for number in range(40):
        assert attacked.get(f"/open/{number}/reset").status_code == 502
    assert len(origin.requests) <= 40 * 1.2


def test_an_answer_that_breaks_off_is_broken_for_the_client_too(
    attacked: AttackedEdge, origin: RecordingOrigin
) -> None:
    """Not a short 200; and the request is not made again."""
    try:
        assert attacked.get("/open/half").status_code == 502
    except (httpx.RemoteProtocolError, httpx.ReadError):
        pass  # broken off, as it was for the edge
    assert len(origin.asked_for("/half")) == 1
    assert attacked.get("/open/well").status_code == 200


@pytest.mark.parametrize("route", ["unknown-name", "untrusted-tls"])
def test_an_upstream_that_cannot_be_connected_to_is_said_to_be_away(
    attacked: AttackedEdge, origin: RecordingOrigin, route: str
) -> None:
    """A name that does not resolve, a handshake that fails: never tried in the clear, and told without our insides."""
    answer = attacked.get(f"/{route}/x")
    assert answer.status_code in (502, 503)
    assert answer.json()["code"] in ("upstream_failed", "upstream_unavailable")
    for inside in ("no-such-host", "127.0.0.1", "errno", "ssl", "Traceback"):
        assert inside.lower() not in answer.text.lower()
    assert origin.requests == []
    assert attacked.provider.asked_for(route) == []


@pytest.mark.parametrize(
    ("path", "budget_ms"), [("/open/x", 43_000), ("/short/x", 700)], ids=["timeouts", "deadline"]
)
@pytest.mark.parametrize("claim", [None, "1", "999999999", "-5", "never"])
def test_the_time_budget_is_the_routes_whatever_a_client_says(
    attacked: AttackedEdge, origin: RecordingOrigin, path: str, budget_ms: int, claim: str | None
) -> None:
    """What goes up is what is left of it."""
    headers = {} if claim is None else {"X-Request-Timeout-Ms": claim}
    assert attacked.get(path, headers).status_code == 200
    sent_ms = int(origin.requests[0].header("x-request-timeout-ms") or 0)
    assert 0 < sent_ms <= budget_ms
    assert sent_ms > budget_ms / 2


def test_a_request_ends_at_its_deadline(attacked: AttackedEdge, origin: RecordingOrigin) -> None:
    """The upstream would have answered in half a minute."""
    began_s = time.monotonic()
    answer = attacked.get("/short/wait")
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")
    assert 0.5 < time.monotonic() - began_s < 7
    assert len(origin.requests) == 1
