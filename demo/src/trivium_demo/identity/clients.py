"""The applications that may ask for tokens. Their secrets are published: they are good for development only."""

import base64
import binascii
import hmac
import urllib.parse
from dataclasses import dataclass

from trivium_demo.identity.errors import OAuthError

CLIENT_CREDENTIALS = "client_credentials"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant
DEVELOPMENT_LOGIN = "urn:trivium:development-login"

_USER_SCOPES = frozenset({"openid", "profile", "email", "offline_access", "api:read", "api:write"})
_SERVICE_SCOPES = frozenset({"api:read", "api:write"})
_ALL_GRANTS = frozenset({CLIENT_CREDENTIALS, REFRESH_TOKEN, DEVELOPMENT_LOGIN})


@dataclass(frozen=True, slots=True)
class Client:
    """An application, and what it may ask for."""

    id: str
    secret: str
    grants: frozenset[str]
    scopes: frozenset[str]


CLIENTS = {
    client.id: client
    for client in (
        Client("trivium-web", "web-secret-for-development", _ALL_GRANTS, _USER_SCOPES),
        Client("trivium-mobile", "mobile-secret-for-development", _ALL_GRANTS, _USER_SCOPES),
        Client(
            "trivium-service",
            "service-secret-for-development",
            frozenset({CLIENT_CREDENTIALS}),
            _SERVICE_SCOPES,
        ),
    )
}

SCOPES = sorted(_USER_SCOPES | _SERVICE_SCOPES)


def authenticate_client(form: dict[str, str], authorization: str | None) -> Client:
    """The client that sends the request, by HTTP Basic or by form fields (RFC 6749 §2.3.1), never by both.

    The development login also takes a bare `client_id`, as a native application would send it.

    Raises: OAuthError.
    """
    if authorization is not None and "client_secret" in form:
        raise OAuthError("invalid_request", "the client authenticates in two ways at once")
    client_id, secret = _read_basic(authorization) if authorization is not None else _read_form(form)
    client = CLIENTS.get(client_id)
    is_bare = secret is None and form.get("grant_type") == DEVELOPMENT_LOGIN
    # Compared even for an unknown client, so that both cases take the same time.
    is_right = hmac.compare_digest((secret or "").encode(), (client.secret if client else "-").encode())
    if client is None or not (is_right or is_bare):
        raise OAuthError(
            "invalid_client", "unknown client or wrong secret", is_basic=authorization is not None
        )
    return client


def _read_form(form: dict[str, str]) -> tuple[str, str | None]:
    if "client_id" not in form:
        raise OAuthError(
            "invalid_client", "no client authentication: send client_id and client_secret, or Basic"
        )
    return form["client_id"], form.get("client_secret")


def _read_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise OAuthError(
            "invalid_client", "the Authorization header is not HTTP Basic", is_basic=True
        ) from error
    if not colon:
        raise OAuthError("invalid_client", "the Authorization header has no secret", is_basic=True)
    return urllib.parse.unquote_plus(client_id), urllib.parse.unquote_plus(secret)


def grant_scope(client: Client, asked: str | None, allowed: frozenset[str] | None = None) -> str:
    """The scopes to grant: what was asked for, or everything that may be.

    Raises: OAuthError (invalid_scope) for a scope outside of what is allowed.
    """
    limit = client.scopes if allowed is None else allowed
    scopes = frozenset(asked.split()) if asked else limit
    if excess := scopes - limit:
        raise OAuthError("invalid_scope", f"not allowed for this client: {' '.join(sorted(excess))}")
    return " ".join(sorted(scopes))
