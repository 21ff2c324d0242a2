"""identity: tokens that verify by its published keys, and refusals in OAuth's own form."""

import stat
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

LOGIN = {"grant_type": "urn:trivium:development-login", "username": "ada", "client_id": "trivium-web"}
WEB = ("trivium-web", "web-secret-for-development")


def _verify(identity: Any, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, checked as a gateway would: keys and issuer come from discovery."""
    discovery = identity.get("/.well-known/openid-configuration")
    keys = KeySet.import_key_set(identity.client.get(discovery["jwks_uri"]).json())
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    registry = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": discovery["issuer"]},
        aud={"essential": True, "value": "trivium"},
        exp={"essential": True},
        nbf={"essential": True},
        iat={"essential": True},
    )
    registry.validate(decoded.claims)
    return decoded.header, decoded.claims


def _token(identity: Any, form: dict[str, str], auth: tuple[str, str] | None = None) -> Any:
    return identity.client.post("/token", data=form, auth=auth)


def test_endpoints_bear_the_name_the_caller_used_and_the_issuer_stays_one(identity: Any) -> None:
    """A browser reaches it as localhost, an edge in a container as identity; both must find the keys."""
    own = identity.get("/.well-known/openid-configuration")
    inside = identity.client.get(
        "/.well-known/openid-configuration", headers={"Host": "identity:4100"}
    ).json()
    assert inside["jwks_uri"] == "http://identity:4100/jwks"
    assert inside["token_endpoint"] == "http://identity:4100/token"
    assert inside["issuer"] == own["issuer"]


def test_development_login_speaks_for_the_user(identity: Any, users: Any) -> None:
    response = _token(identity, LOGIN)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
    header, claims = _verify(identity, answer["access_token"])
    assert (header["alg"], header["typ"]) == ("RS256", "at+jwt")
    assert header["kid"] == identity.get("/jwks")["keys"][0]["kid"]
    ada = users.get("/users/u1")
    assert (claims["sub"], claims["email"]) == (ada["id"], "ada@example.com")
    assert claims["azp"] == claims["client_id"] == "trivium-web"
    assert claims["realm_access"]["roles"] == ["user", "admin"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["jti"]


@pytest.mark.parametrize("is_basic", [True, False])
def test_client_credentials_speak_for_the_client(identity: Any, is_basic: bool) -> None:
    credentials = {"client_id": "trivium-service", "client_secret": "service-secret-for-development"}
    form = {"grant_type": "client_credentials", "scope": "api:read"}
    auth = (credentials["client_id"], credentials["client_secret"]) if is_basic else None
    answer = _token(identity, form if is_basic else {**form, **credentials}, auth).json()
    assert "refresh_token" not in answer
    _, claims = _verify(identity, answer["access_token"])
    assert (claims["sub"], claims["scope"]) == ("trivium-service", "api:read")
    assert "email" not in claims


def test_refresh_tokens_rotate_and_a_second_use_ends_the_family(identity: Any) -> None:
    first = _token(identity, LOGIN).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = _token(identity, form, WEB).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert _verify(identity, second["access_token"])[1]["sub"] == "u1"
    assert _token(identity, form, WEB).json()["error"] == "invalid_grant"
    latest = {"grant_type": "refresh_token", "refresh_token": second["refresh_token"]}
    assert _token(identity, latest, WEB).json()["error"] == "invalid_grant"


def test_refresh_token_is_bound_to_its_client_and_scope(identity: Any) -> None:
    login = _token(identity, {**LOGIN, "scope": "api:read"}).json()
    form = {"grant_type": "refresh_token", "refresh_token": login["refresh_token"]}
    thief = ("trivium-mobile", "mobile-secret-for-development")
    assert _token(identity, form, thief).json()["error"] == "invalid_grant"
    assert _token(identity, {**form, "scope": "api:write"}, WEB).json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("form", "auth", "status", "error"),
    [
        ({}, None, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, ("trivium-web", "wrong"), 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, ("nobody", "-"), 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "trivium-web"}, None, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, WEB, 400, "invalid_request"),
        ({}, WEB, 400, "invalid_request"),
        ({"grant_type": "password"}, WEB, 400, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, WEB, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, WEB, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "scope": "admin"}, WEB, 400, "invalid_scope"),
        ({**LOGIN, "username": "nobody"}, None, 400, "invalid_grant"),
        ({**LOGIN, "client_secret": "wrong"}, None, 401, "invalid_client"),
        ({**LOGIN, "client_id": "trivium-service"}, None, 400, "unauthorized_client"),
    ],
)
def test_refusals_follow_oauth(
    identity: Any, form: dict[str, str], auth: tuple[str, str] | None, status: int, error: str
) -> None:
    """RFC 6749 §5.2."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = identity.client.post("/token", data=form, auth=auth, headers=headers)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in response.headers) == (status == 401 and auth is not None)


def test_repeated_parameter_and_json_are_refused(identity: Any) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    repeated = identity.client.post("/token", content=b"grant_type=a&grant_type=b", headers=headers)
    assert repeated.json()["error"] == "invalid_request"
    assert identity.client.post("/token", json=LOGIN).json()["error"] == "invalid_request"


def test_private_key_is_private(identity: Any, data_dir: Path) -> None:
    mode = (data_dir / "identity-key.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert set(identity.get("/jwks")["keys"][0]) == {"kty", "n", "e", "kid", "use", "alg"}
