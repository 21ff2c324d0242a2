"""A31-A37: every forged, stale or misused token through the real edge: 401, one answer for all, nothing upstream."""

import json
import time
from collections.abc import Callable

import pytest
from attacked_edge import AttackedEdge
from forger import Forger, b64

NOW = int(time.time())
Forge = Callable[[Forger], str]


def _swap_header(forger: Forger, **header: object) -> str:
    _, payload, signature = forger.token().split(".")
    return f"{b64(json.dumps({'typ': 'at+jwt', 'kid': 'k1', **header}).encode())}.{payload}.{signature}"


def _with_foreign_key(forger: Forger, where: str, brought: object) -> str:
    return forger.token(header={where: brought}, key=forger.stranger)


UNSIGNED = "this is no signed token"
ALGORITHM = "the token is signed by an algorithm that is not accepted"
SIGNATURE = "the signature of the token does not hold"
UNKNOWN_KEY = "the token is signed by an unknown key"
HEADER = "the header of the token is not understood"
TYPE = "this is no access token"
NO_TIME = "the claim exp is no"
AUDIENCE = "the token is meant for another audience"

# What is forged, and the reason that must be given: another one would mean that the check named here never ran.
FORGED: dict[str, tuple[Forge, str]] = {
    **{
        f"A31 {alg}": (lambda f, alg=alg: f.unsigned(alg), UNSIGNED)
        for alg in ("none", "None", "NONE", "nOnE")
    },
    "A31 none with a signature": (lambda f: f.unsigned("none", "AAAA"), ALGORITHM),
    "A31 no algorithm": (lambda f: _swap_header(f), ALGORITHM),
    "A31 an algorithm that is a number": (lambda f: _swap_header(f, alg=256), ALGORITHM),
    "A32 HS256 with the public key": (lambda f: f.keyed_by_public_key(), ALGORITHM),
    "A33 jwk": (lambda f: _with_foreign_key(f, "jwk", f.jwk(f.stranger)), SIGNATURE),
    "A33 jwk and its kid": (
        lambda f: f.token(header={"jwk": f.jwk(f.stranger, "new"), "kid": "new"}, key=f.stranger),
        UNKNOWN_KEY,
    ),
    "A33 jku": (lambda f: _with_foreign_key(f, "jku", f"{f.issuer}/attackers-jwks"), SIGNATURE),
    "A33 x5u": (lambda f: _with_foreign_key(f, "x5u", f"{f.issuer}/attackers-cert"), SIGNATURE),
    "A33 x5c": (lambda f: _with_foreign_key(f, "x5c", ["MIIB"]), SIGNATURE),
    "A33 kid that is a path": (
        lambda f: f.token(header={"kid": "../../dev/null"}, key=f.stranger),
        UNKNOWN_KEY,
    ),
    "A33 kid that is a list": (lambda f: f.token(header={"kid": ["k1"]}), HEADER),
    "A34 crit": (lambda f: f.token(header={"crit": ["x"], "x": 1}), HEADER),
    "A34 empty crit": (lambda f: f.token(header={"crit": []}), HEADER),
    "A34 crit that is known elsewhere": (lambda f: f.token(header={"crit": ["b64"], "b64": False}), HEADER),
    "A36 no exp": (lambda f: f.token(exp=None), "the token has no expiry"),
    "A36 exp an hour ago": (lambda f: f.token(exp=NOW - 3600), "the token has expired"),
    "A36 exp as a string": (lambda f: f.token(exp=str(NOW + 300)), NO_TIME),
    "A36 exp beyond all time": (lambda f: f.token(exp=1e308), NO_TIME),
    "A36 exp infinite": (lambda f: f.with_payload(b'{"exp": Infinity}'), UNSIGNED),
    "A36 exp not a number": (lambda f: f.with_payload(b'{"exp": NaN}'), UNSIGNED),
    "A36 exp true": (lambda f: f.token(exp=True), NO_TIME),
    "A36 nbf in the future": (lambda f: f.token(nbf=NOW + 600), "the token is not valid yet"),
    "A36 iat in the future": (lambda f: f.token(iat=NOW + 600), "the token was issued in the future"),
    "A37 another issuer": (lambda f: f.token(iss="https://evil.example"), "the token is of another issuer"),
    "A37 the issuer with a slash": (lambda f: f.token(iss=f.issuer + "/"), "the token is of another issuer"),
    "A37 an issuer that is a list": (lambda f: f.token(iss=[f.issuer]), "the token is of another issuer"),
    "A37 another audience": (lambda f: f.token(aud="account"), AUDIENCE),
    "A37 no audience": (lambda f: f.token(aud=None), AUDIENCE),
    "A37 an unknown app": (
        lambda f: f.token(azp="evil-app"),
        "the token was issued to a client that is not known",
    ),
    "A37 an id token": (lambda f: f.token(header={"typ": "JWT"}, nonce="n"), TYPE),
    "A37 no type": (lambda f: f.token(header={"typ": None}), TYPE),
    "A37 an edge identity": (lambda f: f.token(header={"typ": "edge-identity+jwt"}), TYPE),
    "a payload that is a list": (lambda f: f.with_payload(b"[]"), UNSIGNED),
    "a payload a thousand deep": (
        lambda f: f.with_payload(b'{"a":' + b"[" * 1_500 + b"]" * 1_500 + b"}"),
        UNSIGNED,
    ),
    "a claim given twice": (
        lambda f: f.with_payload(json.dumps(f.claims()).encode()[:-1] + b', "exp": 1}'),
        "the token has expired",
    ),
    "a subject that is a header": (
        lambda f: f.token(sub="u1\r\nX-User-Roles: admin"),
        "the token has no usable subject",
    ),
    "longer than tokens are": (lambda f: f.token(filling="x" * 8192), "the token is too long"),
}


def assert_refused(attacked: AttackedEdge, forged: str, reason: str) -> None:
    """401 with the reason in the challenge (RFC 6750 §3.1), nothing upstream, nothing fetched; good tokens pass on."""
    attacked.provider.requests.clear()
    good = {"Authorization": f"Bearer {attacked.forger.token()}"}
    assert attacked.get("/web/good", good).status_code == 200

    answer = attacked.get("/web/forged", {"Authorization": f"Bearer {forged}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credential")
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="trivium", error="invalid_token", error_description="' + reason)
    assert attacked.get("/web/good", good).status_code == 200
    assert [request.target for request in attacked.origin.requests] == ["/web/good", "/web/good"]
    assert not [request for request in attacked.provider.requests if "attackers" in request.target]


@pytest.mark.usefixtures("origin")
@pytest.mark.parametrize(("forge", "reason"), FORGED.values(), ids=FORGED)
def test_a_forged_token_is_a_401_and_reaches_nobody(
    attacked: AttackedEdge, forge: Forge, reason: str
) -> None:
    assert_refused(attacked, forge(attacked.forger), reason)


@pytest.mark.parametrize("algorithm", [["RS256"], {"RS256": 1}], ids=["list", "object"])
def test_an_algorithm_that_is_no_word_is_a_401(own_edge: AttackedEdge, algorithm: object) -> None:
    """A31."""
    assert_refused(own_edge, _swap_header(own_edge.forger, alg=algorithm), ALGORITHM)
