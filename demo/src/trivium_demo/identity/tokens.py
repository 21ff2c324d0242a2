"""Access tokens: signed JWTs in the form of RFC 9068."""

import secrets
from collections.abc import Callable

from joserfc import jwt
from joserfc.jwk import RSAKey

from trivium_demo.identity.accounts import Account
from trivium_demo.identity.keys import ALGORITHM

AUDIENCE = "trivium"
LIFETIME_S = 3600


class TokenIssuer:
    """Signs access tokens with one key."""

    def __init__(self, issuer: str, key: RSAKey, clock: Callable[[], float]) -> None:
        self.issuer = issuer
        self._key = key
        self._clock = clock
        self._header = {"alg": ALGORITHM, "typ": "at+jwt", "kid": key.thumbprint()}

    def sign_for_account(self, account: Account, client_id: str, scope: str) -> str:
        """A token that speaks for a person."""
        return self._sign(account.subject, client_id, scope, account.roles, email=account.email)

    def sign_for_client(self, client_id: str, scope: str) -> str:
        """A token that speaks for an application."""
        return self._sign(client_id, client_id, scope, ("service",))

    def _sign(self, subject: str, client_id: str, scope: str, roles: tuple[str, ...], **claims: str) -> str:
        now = int(self._clock())
        payload = {
            "iss": self.issuer,
            "sub": subject,
            "aud": AUDIENCE,
            "azp": client_id,
            "client_id": client_id,
            "realm_access": {"roles": list(roles)},
            "scope": scope,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME_S,
            "jti": secrets.token_urlsafe(16),
            **claims,
        }
        return jwt.encode(self._header, payload, self._key, algorithms=[ALGORITHM])
