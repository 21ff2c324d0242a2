"""Credentials for people who develop: tokens from the demo identity provider, identities as an edge signs them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import MappingProxyType
from urllib.parse import urlencode, urlsplit

from trivium_cli.errors import Refused

DEVELOPMENT_LOGIN = "urn:trivium:development-login"
IDENTITY_TIMEOUT_S = 5.0
EDGE_IDENTITY_LIFETIME_S = 3600
# The demo's people; anybody else goes by the id, as in `--user u17`.
USERS: Mapping[str, str] = MappingProxyType({"ada": "u1", "grace": "u2", "linus": "u3"})
DEVICES: Mapping[str, str] = MappingProxyType({"d1": "thermostat-d1", "d2": "sensor-d2"})


@dataclass(frozen=True, slots=True)
class App:
    """A client application as the identity provider and gateway.yaml know it."""

    client_id: str
    client_secret: str
    consumer: str


APPS: Mapping[str, App] = MappingProxyType(
    {
        "web": App("trivium-web", "web-secret-for-development", "web-app"),
        "mobile": App("trivium-mobile", "mobile-secret-for-development", "mobile-app"),
    }
)


def request_token(issuer: str, *, user: str, client: str) -> str:
    """An access token for `user` in the app of `client`, by the development login of the demo's identity.

    Raises: Refused, when identity is not there or does not know the user.
    """
    if client not in APPS:
        raise Refused(
            f"--client {client}: tokens are for {' and '.join(APPS)}; a device sends its API key instead"
        )
    app = APPS[client]
    form = urlencode(
        {
            "grant_type": DEVELOPMENT_LOGIN,
            "username": user,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
        }
    )
    status, answer = _post_form(issuer, "/token", form)
    token = answer.get("access_token")
    if status != 200 or not isinstance(token, str):
        reason = answer.get("error_description") or answer.get("error") or f"status {status}"
        raise Refused(f"identity at {issuer} gives no token for {user}: {reason}")
    return token


def _post_form(issuer: str, path: str, form: str) -> tuple[int, dict[str, object]]:
    parts = urlsplit(issuer)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=IDENTITY_TIMEOUT_S)
    try:
        connection.request("POST", path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        body = json.loads(answer.read(64 * 1024))
    except (OSError, HTTPException, ValueError) as error:
        raise Refused(
            f"identity at {issuer} does not answer ({error}): run `trivium up`, or point --issuer to it"
        ) from error
    finally:
        connection.close()
    return answer.status, body if isinstance(body, dict) else {}


def sign_edge_identity(*, user: str, client: str, lifetime_s: int = EDGE_IDENTITY_LIFETIME_S) -> str:
    """What an edge would send to the BFF of `client` for `user` (for iot a device), under the development key.

    A BFF in production refuses it. Raises: Refused, for a user or client that is not known.
    """
    from trivium_common.auth.development import development_private_key
    from trivium_common.auth.edge_identity import EdgeIdentitySigner

    signer = EdgeIdentitySigner(development_private_key())
    if client == "iot":
        return signer.sign(
            subject=user,
            consumer=DEVICES.get(user, "thermostat-d1"),
            kind="iot",
            audience="iot",
            lifetime_s=lifetime_s,
        )
    if client not in APPS:
        raise Refused(f"--client {client}: choose web, mobile or iot")
    return signer.sign(
        subject=find_user_id(user),
        consumer=APPS[client].consumer,
        kind=client,
        audience=client,
        email=f"{user}@example.com",
        roles=("user",),
        lifetime_s=lifetime_s,
    )


def find_user_id(user: str) -> str:
    """The id behind a demo user's name; an id stands for itself.

    Raises: Refused, for other names.
    """
    if user in USERS:
        return USERS[user]
    if user[:1] == "u" and user[1:].isdigit():
        return user
    raise Refused(f"--user {user}: choose {', '.join(USERS)}, or an id such as u17")
