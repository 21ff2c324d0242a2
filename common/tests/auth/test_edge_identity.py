"""X-Edge-Identity: signed by the edge, believed by exactly one BFF."""

import base64
import hmac

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import KeySet, OctKey, OKPKey

from trivium_common.auth.development import development_private_key
from trivium_common.auth.edge_identity import (
    TYPE,
    EdgeIdentity,
    EdgeIdentitySigner,
    EdgeIdentityVerifier,
    UnusableKey,
    load_private_key,
    load_public_keys,
)
from trivium_common.errors import EdgeIdentityRequired

NOW_S = 1_800_000_000
ADA = {"subject": "u1", "consumer": "web-app", "kind": "web", "audience": "web"}


@pytest.fixture(scope="module")
def key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": "2026-11"})


def verifier(*keys: OKPKey, audience: str = "web", now_s: int = NOW_S) -> EdgeIdentityVerifier:
    return EdgeIdentityVerifier(KeySet(list(keys)), audience, clock=lambda: now_s)


def sign(key: OKPKey, **changes) -> bytes:
    return EdgeIdentitySigner(key, clock=lambda: NOW_S).sign(**(ADA | changes)).encode()


def test_what_the_edge_signs_the_bff_reads(key):
    token = sign(key, email="ada@example.com", roles=("buyer", "admin"), scopes=("read", "write"))
    assert verifier(key).verify(token) == EdgeIdentity(
        subject="u1",
        consumer="web-app",
        kind="web",
        audience="web",
        expires_at=NOW_S + 60,
        email="ada@example.com",
        roles=("buyer", "admin"),
        scopes=("read", "write"),
    )


def test_two_keys_are_accepted_during_a_rotation(key):
    next_key = OKPKey.generate_key("Ed25519", {"kid": "2026-12"})
    both = verifier(key, next_key)
    assert both.verify(sign(key)).subject == both.verify(sign(next_key)).subject == "u1"


def test_a_remembered_token_still_expires(key):
    now = [NOW_S]
    checker = EdgeIdentityVerifier(KeySet([key]), "web", clock=lambda: now[0])
    token = sign(key)
    assert checker.verify(token).subject == "u1"
    now[0] += 66
    with pytest.raises(EdgeIdentityRequired, match="expired"):
        checker.verify(token)


def forged(payload: dict, key: object, **header) -> bytes:
    full = {"alg": "Ed25519", "typ": TYPE, "kid": "2026-11"} | header
    return jws.serialize_compact(
        full,
        orjson.dumps(payload),
        key,
        algorithms=[full["alg"]],  # type: ignore[arg-type]
    ).encode()


def forged_by_hmac(payload: dict, secret: bytes) -> bytes:
    """A token whose HMAC secret is the public key, as an attacker would make it (joserfc refuses to)."""
    header = {"alg": "HS256", "typ": TYPE, "kid": "2026-11"}
    signed = b".".join(
        base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (header, payload)
    )
    digest = hmac.digest(secret, signed, "sha256")
    return signed + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")


def claims(**changes) -> dict:
    return {
        "iss": "trivium-edge",
        "aud": "web",
        "sub": "u1",
        "consumer": "web-app",
        "kind": "web",
        "exp": NOW_S + 60,
    } | changes


def test_every_forgery_is_refused(key):
    """None of these may be believed, whatever part of the token is wrong."""
    stranger = OKPKey.generate_key("Ed25519", {"kid": "2026-11"})
    good = sign(key)
    forgeries = {
        "empty": b"",
        "junk": b"not.a.token",
        "too long": b"x" * 9000,
        "other key, same kid": sign(stranger),
        "other audience": sign(key, audience="mobile"),
        "payload changed": good.split(b".")[0] + b"." + b"e30" + b"." + good.split(b".")[2],
        "no signature": good.rsplit(b".", 1)[0] + b".",
        "alg none": b"eyJhbGciOiJub25lIn0." + good.split(b".")[1] + b".",
        "key confusion": forged_by_hmac(claims(), secret=key.as_bytes(private=False)),
        "another type of token": forged(claims(), key, typ="at+jwt"),
        "another issuer": forged(claims(iss="someone"), key),
        "no expiry": forged(claims(exp=None), key),
        "no subject": forged(claims(sub=None), key),
        "long expired": forged(claims(exp=NOW_S - 60), key),
    }
    checker = verifier(key)
    believed = []
    for name, token in forgeries.items():
        try:
            checker.verify(token)
            believed.append(name)
        except EdgeIdentityRequired:
            pass
    assert believed == []
    assert checker.verify(good).subject == "u1"


def test_production_refuses_the_development_key_also_under_another_name(tmp_path):
    renamed = development_private_key().as_dict(private=True) | {"kid": "our-own"}
    path = tmp_path / "key.json"
    path.write_bytes(orjson.dumps(renamed))
    jwks = tmp_path / "keys.json"
    public = development_private_key().as_dict(private=False) | {"kid": "our-own"}
    jwks.write_bytes(orjson.dumps({"keys": [public]}))
    for load, file in ((load_private_key, path), (load_public_keys, jwks)):
        load(str(file), is_production=False)
        with pytest.raises(UnusableKey, match="development key is public"):
            load(str(file), is_production=True)
        with pytest.raises(UnusableKey, match="development key is public"):
            load(None, is_production=True)


def test_a_key_file_that_is_no_key_is_named(tmp_path):
    path = tmp_path / "key.pem"
    for content in ("", "hello", "{}", orjson.dumps(OctKey.generate_key(256).as_dict()).decode()):
        path.write_text(content)
        with pytest.raises(UnusableKey, match=r"TRIVIUM_EDGE_PRIVATE_KEY: .*key\.pem"):
            load_private_key(str(path), is_production=False)
    with pytest.raises(UnusableKey, match=r"TRIVIUM_EDGE_PUBLIC_KEYS: .*missing"):
        load_public_keys(str(tmp_path / "missing"), is_production=False)
