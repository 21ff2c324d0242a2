"""Access tokens: verified once, remembered for at most a minute, their expiry looked at on every request.

The order of checks is size, shape, header, issuer, key, signature, claims, consumer: cheap before costly,
and nothing of the payload is believed before the signature holds, except which issuer to ask.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from trivium_common.errors import UpstreamUnavailable
from trivium_edge.auth.claims import ClaimRules, read_claims
from trivium_edge.auth.consumers import ConsumerApp
from trivium_edge.auth.key_policy import fits
from trivium_edge.auth.key_source import KeySource
from trivium_edge.auth.refusals import token_refused
from trivium_edge.proxy.contracts import Identity

MAX_TOKEN_BYTES = 8192
MAX_CACHED = 50_000
KEYS_RETRY_AFTER_S = 2.0


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer: its keys, and what its tokens are held against."""

    source: KeySource
    rules: ClaimRules
    algorithms: frozenset[str]
    token_types: frozenset[str]
    cache_s: float


@dataclass(frozen=True, slots=True)
class _Token:
    """A token taken apart, nothing of it verified."""

    raw: bytes
    digest: bytes
    kid: str
    algorithm: str
    issuer: TrustedIssuer


class TokenVerifier:
    """Turns access tokens into identities. One per generation of the configuration and set of issuers."""

    def __init__(
        self,
        issuers: Iterable[TrustedIssuer],
        apps: Mapping[str, ConsumerApp],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = {issuer.rules.issuer: issuer for issuer in issuers}
        self._registries = {
            algorithm: jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
            for issuer in self._issuers.values()
            for algorithm in issuer.algorithms
        }
        self._apps = apps
        self._clock = clock
        self._verified: dict[bytes, tuple[Identity, float]] = {}

    def recall(self, digest: bytes) -> Identity | None:
        """The identity behind a token that was verified within the last minute and has not expired since."""
        known = self._verified.get(digest)
        return known[0] if known is not None and self._clock() < known[1] else None

    def verify_nowait(self, token: bytes) -> Identity | Awaitable[Identity]:
        """The identity behind `token`; an awaitable only when its key is unknown and worth a fetch.

        Raises: InvalidCredential, UpstreamUnavailable while no keys were ever fetched.
        """
        if len(token) > MAX_TOKEN_BYTES:
            raise token_refused("the token is too long")
        digest = hashlib.sha256(token).digest()
        known = self.recall(digest)
        if known is not None:
            return known
        taken = self._take_apart(token, digest)
        key = taken.issuer.source.keys.get(taken.kid)
        if key is None:
            return self._verify_after_refresh(taken)
        return self._verify(taken, key, self._clock())

    def forget(self, digest: bytes) -> None:
        """Drop what is remembered of a token, as its revocation asks."""
        self._verified.pop(digest, None)

    async def _verify_after_refresh(self, taken: _Token) -> Identity:
        source = taken.issuer.source
        await source.wait_refreshed()
        if not source.is_ready:
            raise UpstreamUnavailable(
                f"no signing keys of {source.issuer}: {source.problem}", retry_after_s=KEYS_RETRY_AFTER_S
            )
        key = source.keys.get(taken.kid)
        if key is None:
            raise token_refused("the token is signed by an unknown key")
        return self._verify(taken, key, self._clock())

    def _take_apart(self, token: bytes, digest: bytes) -> _Token:
        parts = token.split(b".")
        if len(parts) != 3 or not all(parts):
            raise token_refused("this is no signed token")
        header, claims = _read_part(parts[0]), _read_part(parts[1])
        issuer = self._issuers.get(str(claims.get("iss")))
        if issuer is None:
            raise token_refused("the token is of another issuer")
        algorithm, kid = header.get("alg"), header.get("kid", "")
        # A list or an object cannot even be looked up.
        if not isinstance(algorithm, str) or algorithm not in issuer.algorithms:
            raise token_refused("the token is signed by an algorithm that is not accepted")
        # We understand no critical extension, so by RFC 7515 §4.1.11 a token that needs one is refused.
        if "crit" in header or not isinstance(kid, str):
            raise token_refused("the header of the token is not understood")
        if _read_type(header) not in issuer.token_types:
            raise token_refused("this is no access token")
        return _Token(token, digest, kid, algorithm, issuer)

    def _verify(self, taken: _Token, key: Key, now: float) -> Identity:
        if not fits(key, taken.algorithm):
            raise token_refused("the key does not fit the algorithm of the token")
        try:
            verified = jws.deserialize_compact(taken.raw, key, registry=self._registries[taken.algorithm])
        except (JoseError, ValueError, TypeError) as error:
            raise token_refused("the signature of the token does not hold") from error
        claims = read_claims(_read_json(verified.payload), taken.issuer.rules, now)
        app = self._apps.get(claims.client_id)
        if app is None:
            raise token_refused("the token was issued to a client that is not known here")
        identity = Identity(
            subject=claims.subject,
            consumer=app.name,
            kind=app.kind,
            credential=taken.digest,
            email=claims.email,
            roles=claims.roles,
            scopes=claims.scopes,
            expires_at=claims.expires_at,
        )
        self._remember(
            identity, min(now + taken.issuer.cache_s, claims.expires_at + taken.issuer.rules.leeway_s)
        )
        return identity

    def _remember(self, identity: Identity, until: float) -> None:
        if len(self._verified) >= MAX_CACHED:
            del self._verified[next(iter(self._verified))]
        self._verified[identity.credential] = (identity, until)


def _read_part(part: bytes) -> Mapping[str, object]:
    try:
        # Strict: joserfc is handed the same bytes, and both must read the same.
        return _read_json(base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except binascii.Error as error:
        raise token_refused("this is no signed token") from error


def _read_json(document: bytes) -> Mapping[str, object]:
    try:
        found = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise token_refused("this is no signed token") from error
    if not isinstance(found, dict):
        raise token_refused("this is no signed token")
    return found


def _read_type(header: Mapping[str, object]) -> str:
    """The media type without its optional prefix (RFC 7515 §4.1.9), `jwt` when there is none."""
    kind = header.get("typ", "jwt")
    return kind.lower().removeprefix("application/") if isinstance(kind, str) else ""
