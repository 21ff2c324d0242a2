"""No, wrong and another kind's credential on each kind of route."""

import base64
import json

import httpx
import pytest
from running_stack import RunningStack

PATHS = {"web": "/api/web/graphql?query={me{id}}", "mobile": "/api/mobile/home", "iot": "/api/iot/devices/d1"}


@pytest.mark.parametrize("route", PATHS)
def test_request_without_credential_is_answered_401(edge: httpx.Client, route: str) -> None:
    assert_refused(edge.get(PATHS[route]), 401, "authentication_required")


@pytest.mark.parametrize(
    ("route", "credential", "status", "code"),
    [
        ("web", "mobile", 403, "wrong_client_kind"),
        ("mobile", "web", 403, "wrong_client_kind"),
        ("web", "iot", 403, "wrong_client_kind"),
        ("mobile", "iot", 403, "wrong_client_kind"),
        ("iot", "web", 401, "authentication_required"),
        ("iot", "mobile", 401, "authentication_required"),
    ],
)
def test_credential_of_another_kind_is_refused(
    stack: RunningStack, edge: httpx.Client, route: str, credential: str, status: int, code: str
) -> None:
    """A valid credential of another kind is 403; a route for devices does not look for tokens at all: 401."""
    assert_refused(edge.get(PATHS[route], headers=stack.authorize(credential)), status, code)


def test_tampered_token_is_refused(stack: RunningStack, edge: httpx.Client) -> None:
    """Another subject under the same signature."""
    header, claims, signature = stack.ready["credentials"]["web_token"].split(".")
    content = json.loads(base64.urlsafe_b64decode(claims + "=="))
    content["sub"] = "u2"
    forged = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    answer = edge.get(PATHS["web"], headers={"Authorization": f"Bearer {header}.{forged}.{signature}"})
    assert_refused(answer, 401, "invalid_credential")


@pytest.mark.parametrize(
    ("route", "headers"),
    [
        ("web", {"Authorization": "Bearer nonsense"}),
        ("mobile", {"Authorization": "Bearer a.b.c"}),
        ("iot", {"X-API-Key": "trv_dev_d1_0000000000000000"}),
    ],
)
def test_wrong_credential_is_answered_401(edge: httpx.Client, route: str, headers: dict[str, str]) -> None:
    assert_refused(edge.get(PATHS[route], headers=headers), 401, "invalid_credential")


@pytest.mark.parametrize("path", ["/", "/api", "/api/partner/home", "/livez", "/graphql"])
def test_unknown_path_is_answered_404(edge: httpx.Client, path: str) -> None:
    """Health and BFF paths are not reachable through the edge's front either."""
    assert_refused(edge.get(path), 404, "route_not_found")


def assert_refused(answer: httpx.Response, status: int, code: str) -> None:
    """A problem document with the stable code, and the request id to ask about."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.headers["X-Request-ID"]
    assert (status == 401) == ("WWW-Authenticate" in answer.headers)
