"""A23: two credentials in one request are refused, not chosen from."""

import pytest
from attacked_edge import AttackedEdge
from forger import Forger
from raw_client import connect
from recording_origin import RecordingOrigin

from trivium_common.auth.development import DEVICE_API_KEYS

KEY = DEVICE_API_KEYS["d1"]


@pytest.mark.parametrize("path", ["/iot/x", "/open/x"])
@pytest.mark.parametrize(
    "lines",
    [
        f"X-API-Key: {KEY}\r\nX-API-Key: {KEY}\r\n",
        f"X-API-Key: {KEY}\r\nx-api-key: other\r\n",
        "Authorization: Bearer a.b.c\r\nauthorization: Bearer a.b.c\r\n",
        "Cookie: a=1\r\nCookie: a=2\r\n",
    ],
    ids=["the same key", "two keys", "two tokens", "two cookies"],
)
def test_a_repeated_credential_is_refused_on_every_route(
    attacked: AttackedEdge, origin: RecordingOrigin, path: str, lines: str
) -> None:
    """On open routes too: the upstream might choose the other one."""
    with connect(attacked.ports["proxy"]) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
        answer = client.read()
    assert answer is not None
    assert answer.status == 400
    assert origin.requests == []


@pytest.mark.parametrize("second", ["X_API_Key", "X-Api_Key"])
def test_an_underscore_twin_is_no_key(attacked: AttackedEdge, origin: RecordingOrigin, second: str) -> None:
    with connect(attacked.ports["proxy"]) as client:
        client.send(f"GET /iot/x HTTP/1.1\r\nHost: a\r\n{second}: {KEY}\r\n\r\n".encode())
        answer = client.read()
    assert answer is not None
    assert answer.status in (400, 401)
    assert origin.requests == []


def test_credentials_end_at_the_edge(attacked: AttackedEdge, origin: RecordingOrigin, forger: Forger) -> None:
    """Neither the token nor the key reaches the upstream, on open routes neither."""
    headers = {"Authorization": f"Bearer {forger.token()}", "X-API-Key": KEY}
    for path in ("/web/x", "/open/x"):
        assert attacked.get(path, headers).status_code == 200
    assert not [one for one in origin.requests if one.values("authorization") + one.values("x-api-key")]
