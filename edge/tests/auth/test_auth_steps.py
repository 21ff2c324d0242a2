"""No credential, an unknown one, one of another kind, one of the right kind (A27, A43, A45, DESIGN "Who")."""

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from trivium_common.errors import TriviumError
from trivium_edge.auth.consumers import ApiKeys, compile_api_keys, to_app
from trivium_edge.auth.steps import accept_api_keys, accept_both, accept_tokens, compile_authorise
from trivium_edge.auth.tokens import TokenVerifier
from trivium_edge.config.models import Acl, Consumer
from trivium_edge.proxy.contracts import Identity

from .conftest import Clock, Issuer

KEY = b"trv_live_0123456789abcdef"
CONSUMERS = [
    Consumer.model_validate(
        {
            "name": "thermostat",
            "kind": "iot",
            "groups": ["devices"],
            "api_keys": [{"id": "one", "hash": "sha256:" + hashlib.sha256(KEY).hexdigest(), "subject": "d1"}],
        }
    ),
    Consumer.model_validate(
        {"name": "web-app", "kind": "web", "groups": ["people"], "client_ids": ["trivium-web"]}
    ),
]
API_KEYS: ApiKeys = compile_api_keys(CONSUMERS)
APPS = {consumer.name: to_app(consumer) for consumer in CONSUMERS}


def request(**fields: bytes) -> Any:
    headers = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return SimpleNamespace(fields=headers, client=SimpleNamespace(credential=None))


def refused(step: Any, *arguments: Any) -> TriviumError:
    with pytest.raises(TriviumError) as refusal:
        step(*arguments)
    return refusal.value


def bearer(issuer: Issuer, **claims: object) -> bytes:
    return b"Bearer " + issuer.sign(claims)


async def test_a_token_route_takes_a_token(verifier: TokenVerifier, issuer: Issuer) -> None:
    step = accept_tokens(verifier, API_KEYS, "web")

    assert step(request(authorization=bearer(issuer))).subject == "u1"
    assert step(request(authorization=b"bEaReR " + issuer.sign())).subject == "u1"


@pytest.mark.parametrize(
    "fields",
    [{}, {"authorization": b"Basic dXNlcjpwYXNz"}, {"authorization": b"Bearer"}, {"cookie": b"jwt_token=x"}],
)
async def test_no_credential_is_a_401_with_a_challenge(
    verifier: TokenVerifier, fields: dict[str, bytes]
) -> None:
    error = refused(accept_tokens(verifier, API_KEYS, "web"), request(**fields))

    assert (error.status, error.code) == (401, "authentication_required")
    assert error.extensions["www_authenticate"] == 'Bearer realm="trivium"'


async def test_a_token_in_the_query_or_a_cookie_counts_for_nothing(
    verifier: TokenVerifier, issuer: Issuer
) -> None:
    """A43: only where it is switched on, and here it is not."""
    exchange = request(cookie=b"jwt_token=" + issuer.sign())
    exchange.query = b"token=" + issuer.sign()

    assert refused(accept_tokens(verifier, API_KEYS, "web"), exchange).code == "authentication_required"


async def test_another_kinds_token_is_a_403(verifier: TokenVerifier, issuer: Issuer) -> None:
    """A27."""
    exchange = request(authorization=bearer(issuer, azp="trivium-mobile"))
    identity = accept_tokens(verifier, API_KEYS, "web")(exchange)
    authorise = compile_authorise("web", None, APPS)

    error = refused(authorise, exchange, identity)

    assert (error.status, error.code) == (403, "wrong_client_kind")


async def test_another_kinds_api_key_on_a_token_route_is_a_403(verifier: TokenVerifier) -> None:
    exchange = request(x_api_key=KEY)
    identity = accept_tokens(verifier, API_KEYS, "web")(exchange)

    assert refused(compile_authorise("web", None, APPS), exchange, identity).code == "wrong_client_kind"


async def test_an_api_key_of_the_right_kind_is_no_token(verifier: TokenVerifier) -> None:
    error = refused(accept_tokens(verifier, API_KEYS, "iot"), request(x_api_key=KEY))

    assert error.code == "authentication_required"


async def test_an_unknown_api_key_on_a_token_route_is_a_401(verifier: TokenVerifier) -> None:
    error = refused(accept_tokens(verifier, API_KEYS, "web"), request(x_api_key=b"x" * 20))

    assert error.status == 401


def test_a_key_route_takes_a_key() -> None:
    identity = accept_api_keys(API_KEYS)(request(x_api_key=KEY))

    assert isinstance(identity, Identity)
    assert (identity.subject, identity.consumer, identity.kind) == ("d1", "thermostat", "iot")
    assert KEY not in repr(identity).encode()


async def test_a_token_on_a_key_route_is_a_401(issuer: Issuer) -> None:
    """A27."""
    error = refused(accept_api_keys(API_KEYS), request(authorization=bearer(issuer)))

    assert (error.status, error.code) == (401, "authentication_required")
    assert error.extensions["www_authenticate"] == 'ApiKey realm="trivium", header="X-API-Key"'


@pytest.mark.parametrize("key", [b"", b"short", KEY[:-1], KEY + b"x", KEY.upper(), b"x" * 100_000])
def test_an_unknown_key_is_a_401(key: bytes) -> None:
    error = refused(accept_api_keys(API_KEYS), request(x_api_key=key))

    assert (error.status, error.code) == (401, "invalid_credential")
    assert key.decode()[:8] not in error.detail or not key


async def test_a_route_may_take_both_and_a_token_goes_first(verifier: TokenVerifier, issuer: Issuer) -> None:
    step = accept_both(verifier, API_KEYS)

    assert step(request(x_api_key=KEY)).subject == "d1"
    assert step(request(x_api_key=KEY, authorization=bearer(issuer))).subject == "u1"
    assert refused(step, request(x_api_key=KEY, authorization=b"Bearer x.y.z")).status == 401
    assert refused(step, request()).extensions["www_authenticate"] == (
        'Bearer realm="trivium", ApiKey realm="trivium", header="X-API-Key"'
    )


async def test_a_connection_that_repeats_its_headers_is_still_asked_whether_its_token_holds(
    verifier: TokenVerifier, issuer: Issuer, wall: Clock
) -> None:
    step = accept_tokens(verifier, API_KEYS, "web")
    exchange = request(authorization=bearer(issuer))
    first = step(exchange)
    assert exchange.client.credential == first.credential
    exchange.fields = {}
    assert step(exchange) is first

    exchange.fields = {b"authorization": bearer(issuer)}
    wall.now += 400

    assert refused(step, exchange).detail == "the token has expired"


def test_the_digest_of_a_token_is_no_api_key() -> None:
    """A kept connection may ask a route for keys after one for tokens."""
    exchange = request(x_api_key=KEY)
    exchange.client.credential = b"digest of a token"

    assert accept_api_keys(API_KEYS)(exchange).subject == "d1"


def identity(consumer: str, *scopes: str) -> Identity:
    return Identity("s", consumer, APPS[consumer].kind, b"c", scopes=scopes)


@pytest.mark.parametrize(
    ("acl", "who", "code"),
    [
        ({"groups": ["people"]}, identity("web-app"), None),
        ({"groups": ["people"]}, identity("thermostat"), "forbidden"),
        ({"groups": ["people", "devices"]}, identity("thermostat"), None),
        ({"consumers": ["thermostat"]}, identity("thermostat"), None),
        ({"consumers": ["thermostat"]}, identity("web-app"), "forbidden"),
        ({"scopes": ["a", "b"]}, identity("web-app", "b", "c", "a"), None),
        ({"scopes": ["a", "b"]}, identity("web-app", "a"), "forbidden"),
        ({"groups": ["people"]}, None, "forbidden"),
    ],
)
def test_an_acl_compares_group_consumer_and_scopes(
    acl: dict[str, list[str]], who: Identity | None, code: str | None
) -> None:
    authorise = compile_authorise(None, Acl.model_validate(acl), APPS)
    assert authorise is not None

    if code is None:
        authorise(request(), who)
    else:
        assert refused(authorise, request(), who).code == code


def test_a_missing_scope_is_named_in_the_challenge() -> None:
    authorise = compile_authorise(None, Acl(scopes=("api:write",)), APPS)

    error = refused(authorise, request(), identity("web-app", "api:read"))

    assert error.extensions["www_authenticate"] == (
        'Bearer realm="trivium", error="insufficient_scope", scope="api:write"'
    )


def test_a_route_without_conditions_runs_no_step() -> None:
    assert compile_authorise(None, None, APPS) is None
