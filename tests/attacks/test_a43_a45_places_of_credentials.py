"""A43-A45: where a credential counts, what it may put into headers, and that it is nowhere in the log."""

import json
import urllib.parse

import pytest
from attacked_edge import AttackedEdge
from forger import Forger
from recording_origin import RecordingOrigin
from running_stack import wait_until

from trivium_common.auth.development import DEVICE_API_KEYS

KEY = DEVICE_API_KEYS["d1"]


@pytest.mark.parametrize("name", ["token", "access_token", "jwt", "authorization", "id_token"])
def test_a_token_in_the_query_or_a_cookie_counts_for_nothing(
    attacked: AttackedEdge, origin: RecordingOrigin, forger: Forger, name: str
) -> None:
    token = forger.token()
    for path, headers in ((f"/web/x?{name}={token}", {}), ("/web/x", {"Cookie": f"{name}={token}"})):
        answer = attacked.get(path, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
    assert origin.requests == []


def test_the_header_decides_when_places_disagree(
    attacked: AttackedEdge, origin: RecordingOrigin, forger: Forger
) -> None:
    """A bad header is not rescued by a good query or cookie, a good one not disturbed by others."""
    good, bad = forger.token(), forger.token(sub="u2", exp=1)
    others = f"/web/x?token={good}"
    assert (
        attacked.get(others, {"Authorization": f"Bearer {bad}", "Cookie": f"token={good}"}).status_code == 401
    )
    assert attacked.get(f"/web/x?token={bad}", {"Authorization": f"Bearer {good}"}).status_code == 200
    assert [request.header("x-user-id") for request in origin.requests] == ["u1"]


@pytest.mark.parametrize(
    ("access", "roles"),
    [
        ({"roles": ["customer", "editor"]}, "customer,editor"),
        (None, None),
        ({}, None),
        ({"roles": "admin"}, None),
        ({"roles": [["admin"], {"a": 1}, 7]}, None),
        ({"roles": ["customer", "x,admin"]}, "customer"),
        ({"roles": ["customer\r\nX-User-ID: u9", "editor"]}, "editor"),
        ({"roles": ["\u202eadmin", "a\u2028b", "", " "]}, None),
        ("admin", None),
    ],
)
def test_roles_in_the_token_forge_no_header(
    attacked: AttackedEdge, origin: RecordingOrigin, forger: Forger, access: object, roles: str | None
) -> None:
    """A44: a role that is no plain word is left out or the token refused; it is never split, joined or passed on."""
    token = forger.token(realm_access=access)
    answer = attacked.get("/web/x", {"Authorization": f"Bearer {token}"})
    assert answer.status_code in (200, 401)
    if answer.status_code == 401:
        assert origin.requests == []
        assert roles is None or access != {"roles": ["customer", "editor"]}
        return
    request = origin.requests[0]
    assert request.header("x-user-id") == "u1"
    assert "admin" not in (request.header("x-user-roles") or "").split(",")
    assert (request.header("x-user-roles") or None) == roles


@pytest.mark.parametrize("path", ["/web/x", "/iot/x", "/open/x", "/nowhere"])
def test_credentials_are_nowhere_in_the_log(attacked: AttackedEdge, forger: Forger, path: str) -> None:
    """A45: accepted or refused, in the header, the query or a cookie, also percent-encoded."""
    token, query_key = forger.token(), "trv_live_5ecretInTheQuery"
    disguised = "".join(f"%{ord(letter):02x}" for letter in query_key)
    target = f"{path}?api_key={query_key}&access_token={token}&apikey={disguised}"
    headers = {"Authorization": f"Bearer {token}", "X-API-Key": KEY, "Cookie": f"session={query_key}"}
    request_id = attacked.get(target, headers).headers["x-request-id"]

    wait_until(lambda: request_id in {line["request_id"] for line in attacked.access_log}, "the log line")
    lines = json.dumps([line for line in attacked.access_log if line["request_id"] == request_id])
    everything = urllib.parse.unquote(lines) + json.dumps(attacked.log)
    for secret in (token, token.rpartition(".")[2], KEY, query_key):
        assert secret not in everything
