"""A20, A21: headers by which other gateways can be told what to do are nothing here."""

import httpx
import pytest
from attacked_edge import AttackedEdge
from recording_origin import RecordingOrigin
from running_stack import RunningStack

OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method"]


@pytest.mark.parametrize("name", OVERRIDES)
def test_the_method_is_the_one_of_the_request_line(
    attacked: AttackedEdge, origin: RecordingOrigin, name: str
) -> None:
    """Neither by header nor by parameter does a GET become a DELETE."""
    assert attacked.get("/open/x?_method=DELETE", {name: "DELETE"}).status_code == 200
    assert [request.method for request in origin.requests] == ["GET"]


@pytest.mark.parametrize(
    "name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Prefix"]
)
def test_the_path_is_the_one_of_the_request_line(
    attacked: AttackedEdge, origin: RecordingOrigin, name: str
) -> None:
    """A route without authentication does not lead to one with it."""
    assert attacked.get("/open/x", {name: "/web/secret"}).status_code == 200
    assert [request.target for request in origin.requests] == ["/open/x"]


@pytest.mark.parametrize(
    "headers",
    [
        {"apollo-federation-include-trace": "ftv1"},
        {"Apollo-Query-Plan-Experimental": "true", "Apollo-Expose-Query-Plan": "true"},
        {"X-Trivium-Debug": "1", "X-Trivium-Origin": "overload", "X-Trivium-Cost": "0"},
        {"X-Debug": "1", "X-Graphql-Event-Stream": "1", "X-Hasura-Admin-Secret": "x"},
    ],
    ids=["trace", "plan", "own", "others"],
)
def test_debug_headers_change_nothing_in_the_answer(
    edge: httpx.Client, linus: dict[str, dict[str, str]], headers: dict[str, str]
) -> None:
    """No trace, no plan, no cost: the answer is byte for byte the one without them."""
    body = {"query": "{ me { id name } }"}
    plain = edge.post("/api/web/graphql", json=body, headers=linus["web"])
    asked = edge.post("/api/web/graphql", json=body, headers=linus["web"] | headers)
    assert (plain.status_code, plain.json()["data"]["me"]["id"]) == (200, "u3")
    assert asked.content == plain.content
    assert set(asked.headers) == set(plain.headers)
    assert not [name for name in asked.headers if name.startswith("x-trivium-")]


def test_a_bff_never_sees_what_only_the_edge_may_say(stack: RunningStack, edge: httpx.Client) -> None:
    """A forged time budget of one millisecond would end every request in 504."""
    forged = {"X-Request-Timeout-Ms": "1", "X-Retry-Attempt": "9", "X-Edge-Identity": "e30.e30.e30"}
    answer = edge.get("/api/iot/devices/d1", headers=stack.authorize("iot") | forged)
    assert (answer.status_code, answer.json()["id"]) == (200, "d1")
