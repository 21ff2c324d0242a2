"""An issuer with real keys, and a verifier over it. Nothing is mocked: tokens are signed and verified."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import Key, RSAKey

from trivium_edge.auth.claims import ClaimRules
from trivium_edge.auth.consumers import ConsumerApp
from trivium_edge.auth.key_source import FetchFailed, KeySource
from trivium_edge.auth.tokens import TokenVerifier, TrustedIssuer

ISSUER = "https://id.example.com"
NOW = 1_800_000_000.0
APPS = {
    "trivium-web": ConsumerApp("web-app", "web", frozenset({"staff"})),
    "trivium-mobile": ConsumerApp("mobile-app", "mobile", frozenset()),
}


@cache
def rsa_key(kid: str, bits: int = 2048) -> RSAKey:
    """One real key per kid for the whole run."""
    return RSAKey.generate_key(bits, {"kid": kid, "use": "sig"}, private=True)


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Clock:
    """A clock that moves when told."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class Issuer:
    """An OpenID provider: its keys, its documents, and how often it was asked."""

    keys: list[Key] = field(default_factory=lambda: [rsa_key("k1")])
    is_down: bool = False
    asked: list[str] = field(default_factory=list)

    async def fetch(self, url: str) -> bytes:
        """Answer as the provider would."""
        self.asked.append(url)
        if self.is_down:
            raise FetchFailed(f"{url}: connection refused")
        if url.endswith("/openid-configuration"):
            return orjson.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks"})
        return orjson.dumps({"keys": [key.as_dict(private=False) for key in self.keys]})

    def sign(
        self,
        claims: dict[str, Any] | None = None,
        *,
        header: dict[str, Any] | None = None,
        key: Key | None = None,
        leave_out: tuple[str, ...] = (),
    ) -> bytes:
        """A good access token of ada on the web, changed as asked."""
        key = key or self.keys[0]
        payload = {
            "iss": ISSUER,
            "sub": "u1",
            "aud": "trivium",
            "azp": "trivium-web",
            "email": "ada@example.com",
            "realm_access": {"roles": ["customer"]},
            "scope": "openid api:read",
            "iat": int(NOW),
            "exp": int(NOW) + 300,
            **(claims or {}),
        }
        for name in leave_out:
            del payload[name]
        protected = {"alg": "RS256", "typ": "at+jwt", "kid": key.kid, **(header or {})}
        protected = {name: value for name, value in protected.items() if value is not None}
        registry = jws.JWSRegistry(algorithms=[str(protected["alg"])], strict_check_header=False)
        return jws.serialize_compact(protected, json.dumps(payload), key, registry=registry).encode()


@pytest.fixture
def issuer() -> Issuer:
    """A provider that answers."""
    return Issuer()


@pytest.fixture
def wall() -> Clock:
    """The wall clock."""
    return Clock(NOW)


@pytest.fixture
def monotonic() -> Clock:
    """The monotonic clock."""
    return Clock(1000.0)


@pytest.fixture
def source(issuer: Issuer, monotonic: Clock) -> KeySource:
    """The provider's keys, not fetched yet."""
    return KeySource(issuer=ISSUER, fetch=issuer.fetch, algorithms=["RS256"], clock=monotonic)


@pytest.fixture
def make_verifier(source: KeySource, wall: Clock) -> Callable[..., TokenVerifier]:
    """A verifier over the provider, with other rules where asked."""

    def make(**changes: Any) -> TokenVerifier:
        settings = {"algorithms": ["RS256"], "token_types": ["at+jwt"], "cache_s": 60.0, **changes}
        rules = ClaimRules(ISSUER, frozenset({"trivium"}), leeway_s=5.0, max_lifetime_s=86400.0)
        trusted = TrustedIssuer(
            source,
            rules,
            frozenset(settings["algorithms"]),
            frozenset(settings["token_types"]),
            settings["cache_s"],
        )
        return TokenVerifier([trusted], APPS, clock=wall)

    return make


@pytest.fixture
async def verifier(source: KeySource, make_verifier: Callable[..., TokenVerifier]) -> TokenVerifier:
    """A verifier whose keys are there."""
    await source.fetch_once()
    return make_verifier()
