"""A29: the Host header opens nothing but the routes that list it, and is never where a request goes."""

import pytest
from attacked_edge import AttackedEdge
from raw_client import connect
from recording_origin import RecordingOrigin


def ask(attacked: AttackedEdge, target: str, host: str) -> int:
    with connect(attacked.ports["proxy"]) as client:
        client.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = client.read()
    assert answer is not None
    return answer.status


@pytest.mark.parametrize(
    "host", ["internal.example", "INTERNAL.example", "internal.example:8443", "internal.example:80"]
)
def test_the_listed_host_leads_to_its_route(
    attacked: AttackedEdge, origin: RecordingOrigin, host: str
) -> None:
    assert ask(attacked, "/secret/x", host) == 200
    assert f"http://{origin.requests[0].header('host')}" == origin.url


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "internal.example.evil.example",
        "evil-internal.example",
        "internal.example@evil.example",
        "internal.example, evil.example",
        "internal.example evil.example",
        "internal.example#x",
        "[::1]",
    ],
)
def test_every_other_host_does_not(attacked: AttackedEdge, origin: RecordingOrigin, host: str) -> None:
    assert ask(attacked, "/secret/x", host) in (400, 404)
    assert origin.requests == []


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded"])
def test_no_other_header_is_taken_for_the_host(
    attacked: AttackedEdge, origin: RecordingOrigin, name: str
) -> None:
    value = "host=internal.example" if name == "Forwarded" else "internal.example"
    assert attacked.get("/secret/x", {name: value, "Host": "evil.example"}).status_code == 404
    assert origin.requests == []


def test_target_and_host_that_disagree_have_one_reading(
    attacked: AttackedEdge, origin: RecordingOrigin
) -> None:
    """RFC 9112 §3.2.2: the target's authority counts, and the upstream is told the same one."""
    assert ask(attacked, "http://evil.example/secret/x", "internal.example") in (400, 404)
    assert origin.requests == []
    if ask(attacked, "http://internal.example/secret/x", "evil.example") == 200:
        assert origin.requests[0].header("x-forwarded-host") == "internal.example"
