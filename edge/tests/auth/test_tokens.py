"""Access tokens, good ones and every kind of bad one (ATTACKS A31-A37)."""

import hashlib
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from joserfc.jwk import OctKey

from trivium_common.errors import InvalidCredential, TriviumError
from trivium_edge.auth.tokens import TokenVerifier
from trivium_edge.proxy.contracts import Identity

from .conftest import ISSUER, NOW, Clock, Issuer, b64, rsa_key


async def verify(verifier: TokenVerifier, token: bytes) -> Identity:
    found = verifier.verify_nowait(token)
    return await found if isinstance(found, Awaitable) else found


async def refusal(verifier: TokenVerifier, token: bytes) -> str:
    with pytest.raises(InvalidCredential) as refused:
        await verify(verifier, token)
    assert refused.value.status == 401
    challenge = refused.value.extensions["www_authenticate"]
    assert challenge == (
        f'Bearer realm="trivium", error="invalid_token", error_description="{refused.value.detail}"'
    )
    return refused.value.detail


async def test_a_good_token_says_who_calls(verifier: TokenVerifier, issuer: Issuer) -> None:
    token = issuer.sign()

    assert await verify(verifier, token) == Identity(
        subject="u1",
        consumer="web-app",
        kind="web",
        credential=hashlib.sha256(token).digest(),
        email="ada@example.com",
        roles=("customer",),
        scopes=("openid", "api:read"),
        expires_at=NOW + 300,
    )


async def test_a_token_is_verified_once_and_then_remembered(
    verifier: TokenVerifier, issuer: Issuer, wall: Clock
) -> None:
    token = issuer.sign()
    first = await verify(verifier, token)
    wall.now += 59

    assert verifier.verify_nowait(token) is first


async def test_a_remembered_token_expires_all_the_same(
    verifier: TokenVerifier, issuer: Issuer, wall: Clock
) -> None:
    token = issuer.sign({"exp": int(NOW) + 20})
    await verify(verifier, token)
    wall.now += 24.9
    await verify(verifier, token)
    wall.now += 0.2

    assert await refusal(verifier, token) == "the token has expired"


async def test_a_token_is_verified_again_after_a_minute(
    verifier: TokenVerifier, issuer: Issuer, wall: Clock, source: Any
) -> None:
    """A key that was taken away stops working within the cache's minute."""
    token = issuer.sign()
    await verify(verifier, token)
    issuer.keys = [rsa_key("k2")]
    await source.fetch_once()
    wall.now += 61

    assert await refusal(verifier, token) == "the token is signed by an unknown key"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
async def test_an_unsigned_token_is_refused(verifier: TokenVerifier, issuer: Issuer, algorithm: str) -> None:
    """A31."""
    payload = issuer.sign().split(b".")[1].decode()
    header = b64(json.dumps({"alg": algorithm, "typ": "at+jwt", "kid": "k1"}).encode())

    assert await refusal(verifier, f"{header}.{payload}.".encode()) == "this is no signed token"
    assert (
        await refusal(verifier, f"{header}.{payload}.AAAA".encode())
        == "the token is signed by an algorithm that is not accepted"
    )


async def test_the_public_key_is_no_shared_secret(verifier: TokenVerifier, issuer: Issuer) -> None:
    """A32."""
    public = rsa_key("k1").as_pem(private=False)
    token = issuer.sign(header={"alg": "HS256"}, key=OctKey.import_key(b64(public) + "=" * 4, {"kid": "k1"}))

    assert await refusal(verifier, token) == "the token is signed by an algorithm that is not accepted"


async def test_a_token_cannot_be_signed_for_another_algorithm_of_the_same_key(
    make_verifier: Callable[..., TokenVerifier], source: Any, issuer: Issuer
) -> None:
    await source.fetch_once()
    verifier = make_verifier(algorithms=["RS256", "ES256"])
    forged = issuer.sign().split(b".")
    header = b64(json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}).encode()).encode()

    assert (
        await refusal(verifier, b".".join([header, *forged[1:]]))
        == "the key does not fit the algorithm of the token"
    )


@pytest.mark.parametrize("where", ["jwk", "jku", "x5u", "x5c"])
async def test_a_key_that_the_token_brings_along_is_ignored(
    verifier: TokenVerifier, issuer: Issuer, where: str
) -> None:
    """A33: the attacker's own key, sent along, verifies nothing."""
    attacker = rsa_key("attacker")
    brought: dict[str, Any] = {
        "jwk": attacker.as_dict(private=False),
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["MIIB"],
    }
    token = issuer.sign(header={"kid": "k1", where: brought[where]}, key=attacker)

    assert await refusal(verifier, token) == "the signature of the token does not hold"
    assert not any("evil" in url for url in issuer.asked)


async def test_an_unknown_critical_extension_is_refused(verifier: TokenVerifier, issuer: Issuer) -> None:
    """A34."""
    header = b64(
        json.dumps({"alg": "RS256", "typ": "at+jwt", "kid": "k1", "crit": ["x"], "x": 1}).encode()
    ).encode()
    token = b".".join([header, *issuer.sign().split(b".")[1:]])

    assert await refusal(verifier, token) == "the header of the token is not understood"


async def test_a_long_token_is_refused_before_anything_is_decoded(verifier: TokenVerifier) -> None:
    """A35."""
    assert await refusal(verifier, b"a" * 10_000_000 + b".b.c") == "the token is too long"


EXPIRED = "the token has expired"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": int(NOW) - 5}, EXPIRED),
        ({"exp": 0}, EXPIRED),
        ({"exp": str(int(NOW) + 300)}, "the claim exp is no number"),
        ({"exp": True}, "the claim exp is no number"),
        ({"exp": [int(NOW) + 300]}, "the claim exp is no number"),
        ({"exp": 1e308}, "the claim exp is no time"),
        ({"exp": -1}, "the claim exp is no time"),
        ({"exp": None}, "the token has no expiry"),
        ({"exp": int(NOW) + 86_401}, "the token lives longer than tokens may"),
        ({"iat": int(NOW) + 6}, "the token was issued in the future"),
        ({"nbf": int(NOW) + 6}, "the token is not valid yet"),
        ({"nbf": "now"}, "the claim nbf is no number"),
        ({"iat": -math.pi}, "the claim iat is no time"),
        ({"iss": "https://evil.example"}, "the token is of another issuer"),
        ({"iss": ISSUER + "/"}, "the token is of another issuer"),
        ({"iss": None}, "the token is of another issuer"),
        ({"aud": "account"}, "the token is meant for another audience"),
        ({"aud": ["account", 5]}, "the token is meant for another audience"),
        ({"aud": None}, "the token is meant for another audience"),
        ({"aud": {"trivium": 1}}, "the token is meant for another audience"),
        ({"azp": "unknown-app"}, "the token was issued to a client that is not known here"),
        ({"azp": None}, "the token does not say which client it was issued to"),
        ({"client_id": "trivium-mobile"}, "the token does not say which client it was issued to"),
        ({"sub": None}, "the token has no usable subject"),
        ({"sub": ""}, "the token has no usable subject"),
        ({"sub": "u1\r\nX-User-Roles: admin"}, "the token has no usable subject"),
        ({"sub": "u" * 256}, "the token has no usable subject"),
        ({"sub": 7}, "the token has no usable subject"),
    ],
)
async def test_a_claim_that_does_not_hold_is_a_401(
    verifier: TokenVerifier, issuer: Issuer, claims: dict[str, Any], reason: str
) -> None:
    """A36 and A37."""
    assert await refusal(verifier, issuer.sign(claims)) == reason


@pytest.mark.parametrize(
    "claims", [{"exp": int(NOW) - 4}, {"iat": int(NOW) + 5}, {"nbf": int(NOW) + 5}, {"aud": ["x", "trivium"]}]
)
async def test_clocks_may_differ_by_the_leeway(
    verifier: TokenVerifier, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert (await verify(verifier, issuer.sign(claims))).subject == "u1"


@pytest.mark.parametrize("name", ["exp", "iss", "aud", "azp", "sub"])
async def test_a_claim_that_is_missing_is_a_401(verifier: TokenVerifier, issuer: Issuer, name: str) -> None:
    await refusal(verifier, issuer.sign(leave_out=(name,)))


@pytest.mark.parametrize("kind", ["JWT", "id+jwt", "edge-identity+jwt", "", None, 5])
async def test_another_type_of_token_is_refused(
    verifier: TokenVerifier, issuer: Issuer, kind: object
) -> None:
    """A37: an id token is signed by the same keys, and is no access token."""
    parts = issuer.sign().split(b".")
    header = {"alg": "RS256", "kid": "k1", "typ": kind}
    if kind is None:
        del header["typ"]
    token = b".".join([b64(json.dumps(header).encode()).encode(), *parts[1:]])

    assert await refusal(verifier, token) == "this is no access token"


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_the_type_may_be_written_as_a_media_type(
    verifier: TokenVerifier, issuer: Issuer, kind: str
) -> None:
    assert (await verify(verifier, issuer.sign(header={"typ": kind}))).subject == "u1"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"abc",
        b"a.b",
        b"a.b.c.d",
        b"..",
        b"!!!.!!!.!!!",
        b"bnVsbA.bnVsbA.c2ln",
        b"W10.W10.c2ln",
        b"e30.e30.c2ln",
        b"eyJhbGciOjF9.e30.c2ln",
        "ünïcode.ü.ü".encode(),
    ],
)
async def test_what_is_no_token_is_a_401(verifier: TokenVerifier, token: bytes) -> None:
    await refusal(verifier, token)


async def test_a_changed_payload_breaks_the_signature(verifier: TokenVerifier, issuer: Issuer) -> None:
    mine, others = issuer.sign().split(b"."), issuer.sign({"sub": "u2"}).split(b".")

    forged = b".".join([mine[0], others[1], mine[2]])

    assert await refusal(verifier, forged) == "the signature of the token does not hold"


@pytest.mark.parametrize(
    ("realm", "roles"),
    [
        (None, ()),
        ("admin", ()),
        ({"roles": "admin"}, ()),
        ({"roles": ["ok", "a,admin", "x\r\nX-User-ID: u2", "", 5, None, "also ok", "fine"]}, ("ok", "fine")),
    ],
)
async def test_roles_cannot_forge_headers(
    verifier: TokenVerifier, issuer: Issuer, realm: object, roles: tuple[str, ...]
) -> None:
    """A44."""
    assert (await verify(verifier, issuer.sign({"realm_access": realm}))).roles == roles


async def test_an_email_cannot_forge_headers(verifier: TokenVerifier, issuer: Issuer) -> None:
    assert (await verify(verifier, issuer.sign({"email": "a@b\r\nX-User-ID: u2"}))).email == ""


async def test_the_memory_of_tokens_is_bounded(
    verifier: TokenVerifier, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trivium_edge.auth.tokens.MAX_CACHED", 10)

    for number in range(25):
        await verify(verifier, issuer.sign({"sub": f"u{number}"}))

    assert len(verifier._verified) == 10


async def test_without_any_keys_a_token_is_a_503(
    make_verifier: Callable[..., TokenVerifier], issuer: Issuer
) -> None:
    """A39: closed, not open, and the caller is told to come back."""
    verifier = make_verifier()
    verifier._issuers[ISSUER].source._tried_at = 999.0

    with pytest.raises(TriviumError) as refused:
        await verify(verifier, issuer.sign())

    assert refused.value.status == 503
    assert refused.value.retry_after_s is not None
