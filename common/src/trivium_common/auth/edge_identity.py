"""X-Edge-Identity: who the edge says is calling, signed so that a BFF need not trust the network.

A compact JWS (RFC 7515) under Ed25519 (RFC 8037, named as in RFC 9864) with the claims of a JWT. Only edges hold the private
key. A BFF holds two public keys at a time, so that the key can be rotated.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from trivium_common.auth.development import development_private_key, is_development_key
from trivium_common.errors import EdgeIdentityRequired

HEADER = b"x-edge-identity"
ISSUER = "trivium-edge"
LIFETIME_S = 60
TYPE = "edge-identity+jwt"
LEEWAY_S = 5
MAX_TOKEN_BYTES = 8192
_ALGORITHM = "Ed25519"
_CACHE_ENTRIES = 10_000


@dataclass(frozen=True, slots=True)
class EdgeIdentity:
    """Who is calling: `subject` is the person or device, `consumer` the configured app.

    `expires_at` is in seconds since the epoch; `audience` names the BFF that may accept it.
    """

    subject: str
    consumer: str
    kind: str
    audience: str
    expires_at: int
    email: str | None = None
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()


class EdgeIdentitySigner:
    """Signs identities; lives in the edge, and in `trivium token --edge` for development."""

    def __init__(self, private_key: OKPKey, *, clock: Callable[[], float] = time.time) -> None:
        self._key = private_key
        self._clock = clock
        self._header = {"alg": _ALGORITHM, "typ": TYPE, "kid": private_key.kid or private_key.thumbprint()}

    def sign(
        self,
        *,
        subject: str,
        consumer: str,
        kind: str,
        audience: str,
        email: str | None = None,
        roles: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (),
        lifetime_s: int = LIFETIME_S,
    ) -> str:
        """The token for one caller and one BFF, good for `lifetime_s` seconds. Costs about 20 us: cache it."""
        now = int(self._clock())
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": audience,
            "sub": subject,
            "consumer": consumer,
            "kind": kind,
            "iat": now,
            "exp": now + lifetime_s,
        }
        if email is not None:
            claims["email"] = email
        if roles:
            claims["roles"] = roles
        if scopes:
            claims["scope"] = " ".join(scopes)
        return jws.serialize_compact(self._header, orjson.dumps(claims), self._key, algorithms=[_ALGORITHM])


class EdgeIdentityVerifier:
    """Verifies identities for one audience; remembers each good token until it expires."""

    def __init__(self, public_keys: KeySet, audience: str, *, clock: Callable[[], float] = time.time) -> None:
        self._keys = {key.kid or key.thumbprint(): key for key in public_keys.keys}
        self._audience = audience
        self._clock = clock
        self._verified: dict[bytes, EdgeIdentity] = {}

    def verify(self, token: bytes) -> EdgeIdentity:
        """The identity in `token`.

        Raises: EdgeIdentityRequired, when it is missing, forged, expired, or meant for another BFF.
        """
        if not token or len(token) > MAX_TOKEN_BYTES:
            raise EdgeIdentityRequired("the header X-Edge-Identity is missing or too long")
        digest = hashlib.sha256(token).digest()
        identity = self._verified.get(digest)
        if identity is None:
            identity = self._verify_new(token)
            if len(self._verified) >= _CACHE_ENTRIES:
                self._verified.clear()
            self._verified[digest] = identity
        if identity.expires_at + LEEWAY_S <= self._clock():
            self._verified.pop(digest, None)
            raise EdgeIdentityRequired("the edge identity has expired")
        return identity

    def _verify_new(self, token: bytes) -> EdgeIdentity:
        try:
            signature = jws.extract_compact(token)
            header = signature.headers()
            key = self._keys.get(header.get("kid", ""))
            if key is None or header.get("typ") != TYPE or header.get("alg") != _ALGORITHM:
                raise EdgeIdentityRequired("the edge identity is signed by a key that is not known here")
            verified = jws.deserialize_compact(token, key, algorithms=[_ALGORITHM])
            claims = orjson.loads(verified.payload)
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise EdgeIdentityRequired("the edge identity cannot be verified") from error
        return self._read_claims(claims)

    def _read_claims(self, claims: Mapping[str, object]) -> EdgeIdentity:
        if claims.get("iss") != ISSUER or claims.get("aud") != self._audience:
            raise EdgeIdentityRequired("the edge identity is meant for another backend")
        subject, consumer, kind, expires_at = (
            claims.get(name) for name in ("sub", "consumer", "kind", "exp")
        )
        if not (isinstance(subject, str) and isinstance(consumer, str) and isinstance(kind, str)):
            raise EdgeIdentityRequired("the edge identity lacks a claim")
        if not isinstance(expires_at, int):
            raise EdgeIdentityRequired("the edge identity has no expiry")
        email, roles, scope = claims.get("email"), claims.get("roles"), claims.get("scope")
        return EdgeIdentity(
            subject=subject,
            consumer=consumer,
            kind=kind,
            audience=self._audience,
            expires_at=expires_at,
            email=email if isinstance(email, str) else None,
            roles=tuple(str(role) for role in roles) if isinstance(roles, list) else (),
            scopes=tuple(scope.split()) if isinstance(scope, str) else (),
        )


class UnusableKey(ValueError):
    """A configured key cannot be used; the message says which and what to do."""


def load_private_key(path: str | None, *, is_production: bool) -> OKPKey:
    """The edge's signing key from a JWK or PEM file; without a path the development key.

    Raises: UnusableKey, for a missing or wrong file, and for the development key in production.
    """
    setting = "TRIVIUM_EDGE_PRIVATE_KEY"
    if path is None:
        key = development_private_key()
    else:
        try:
            text = Path(path).read_text()
            source = orjson.loads(text) if text.lstrip().startswith("{") else text
            key = OKPKey.import_key(source)
        except (OSError, ValueError, TypeError, JoseError) as error:
            raise UnusableKey(
                f"{setting}: {path} is no readable Ed25519 key (JWK or PEM): {error}"
            ) from error
        if key.curve_name != "Ed25519" or not key.is_private:
            raise UnusableKey(f"{setting}: {path} must hold a private Ed25519 key")
    _refuse_development_key([key], setting, is_production=is_production)
    return key


def load_public_keys(path: str | None, *, is_production: bool) -> KeySet:
    """The one or two keys that a BFF accepts, from a JWKS file; without a path the development key.

    Raises: UnusableKey, for a missing or wrong file, and for the development key in production.
    """
    setting = "TRIVIUM_EDGE_PUBLIC_KEYS"
    if path is None:
        keys = [development_private_key()]
    else:
        try:
            document = orjson.loads(Path(path).read_bytes())
            keys = [OKPKey.import_key(entry) for entry in document["keys"]]
        except (OSError, ValueError, TypeError, KeyError, JoseError) as error:
            raise UnusableKey(f"{setting}: {path} is no JWKS file of Ed25519 keys: {error}") from error
        if not 1 <= len(keys) <= 2 or any(key.curve_name != "Ed25519" for key in keys):
            raise UnusableKey(f"{setting}: {path} must hold one or two Ed25519 keys")
    _refuse_development_key(keys, setting, is_production=is_production)
    return KeySet(list(keys))


def _refuse_development_key(keys: list[OKPKey], setting: str, *, is_production: bool) -> None:
    if is_production and any(is_development_key(key) for key in keys):
        raise UnusableKey(
            f"{setting}: the development key is public and refused in production; "
            "make one with `trivium key signing` and point the setting to it"
        )
