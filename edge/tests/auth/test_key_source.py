"""An issuer's keys: fetched once however many ask, kept while it is away, never invented (A38-A40)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson
import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from trivium_common.errors import InvalidCredential
from trivium_edge.auth.key_policy import UnusableKeySet, read_key_set
from trivium_edge.auth.key_source import COOL_DOWN_S, KeySource
from trivium_edge.auth.tokens import TokenVerifier

from .conftest import ISSUER, Clock, Issuer, rsa_key


@asynccontextmanager
async def running(source: KeySource) -> AsyncIterator[None]:
    """The source fetches; its first fetch is over."""
    async with asyncio.TaskGroup() as tasks:
        before = source.fetches
        task = tasks.create_task(source.run())
        while source.fetches == before or source._is_fetching:  # noqa: ASYNC110 - the state is under test
            await asyncio.sleep(0)
        yield
        task.cancel()


async def test_the_keys_are_found_by_discovery(source: KeySource, issuer: Issuer) -> None:
    await source.fetch_once()

    assert issuer.asked == [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/jwks"]
    assert list(source.keys) == ["k1"]
    assert source.problem is None


async def test_discovery_may_live_elsewhere(issuer: Issuer) -> None:
    source = KeySource(
        issuer=ISSUER,
        fetch=issuer.fetch,
        algorithms=["RS256"],
        discovery_url="http://identity:4100/.well-known/openid-configuration",
    )

    assert await source.fetch_once()
    assert issuer.asked[0] == "http://identity:4100/.well-known/openid-configuration"


async def test_the_metadata_of_another_issuer_is_refused(issuer: Issuer) -> None:
    source = KeySource(issuer="https://other.example.com", fetch=issuer.fetch, algorithms=["RS256"])

    assert not await source.fetch_once()
    assert source.problem == (
        "the discovery document is of the issuer 'https://id.example.com', expected 'https://other.example.com'"
    )


async def test_a_storm_of_unknown_kids_causes_one_fetch(
    source: KeySource, issuer: Issuer, monotonic: Clock, make_verifier: Callable[..., TokenVerifier]
) -> None:
    """A38: a thousand at once wait for the same fetch; those after it meet the cool-down."""
    async with running(source):
        verifier = make_verifier()
        monotonic.now += COOL_DOWN_S
        stranger = rsa_key("stranger")

        one = issuer.sign(key=stranger)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(1000):
                tasks.create_task(refuse_one(verifier, one))
        assert source.fetches == 2

        for number in range(20):
            await refuse_one(verifier, issuer.sign({"sub": f"u{number}"}, key=stranger))
        assert source.fetches == 2


async def refuse_one(verifier: TokenVerifier, token: bytes) -> None:
    with pytest.raises(InvalidCredential):
        await verifier.verify_nowait(token)


async def test_a_rotated_key_is_accepted_at_its_first_token(
    source: KeySource, issuer: Issuer, monotonic: Clock, make_verifier: Callable[..., TokenVerifier]
) -> None:
    """A40: nobody waits for the next regular fetch."""
    async with running(source):
        verifier = make_verifier()
        issuer.keys = [rsa_key("k2"), rsa_key("k1")]
        monotonic.now += COOL_DOWN_S

        found = await verifier.verify_nowait(issuer.sign())

        assert found.subject == "u1"
        assert set(source.keys) == {"k1", "k2"}


async def test_a_cancelled_request_does_not_cancel_the_fetch(
    source: KeySource, issuer: Issuer, monotonic: Clock
) -> None:
    async with running(source):
        monotonic.now += COOL_DOWN_S
        impatient = asyncio.ensure_future(source.wait_refreshed())
        patient = asyncio.ensure_future(source.wait_refreshed())
        await asyncio.sleep(0)
        impatient.cancel()
        await patient

        assert source.fetches == 2


async def test_the_last_good_keys_serve_while_the_issuer_is_away(
    source: KeySource, issuer: Issuer, monotonic: Clock
) -> None:
    """A39: for a bounded time; then nothing is accepted any more."""
    await source.fetch_once()
    issuer.is_down = True
    monotonic.now += 86_399

    assert not await source.fetch_once()
    assert source.is_ready
    assert source.problem == f"{ISSUER}/jwks: connection refused"

    monotonic.now += 2
    assert not await source.fetch_once()
    assert not source.is_ready


async def test_an_issuer_that_comes_back_is_found_without_help(source: KeySource, issuer: Issuer) -> None:
    issuer.is_down = True
    assert not await source.fetch_once()
    issuer.is_down = False

    async with running(source):
        assert source.is_ready
        assert source.problem is None


def documents(*keys: dict[str, object]) -> bytes:
    return orjson.dumps({"keys": list(keys)})


def public(key: RSAKey | ECKey, **changes: object) -> dict[str, object]:
    return {**key.as_dict(private=False), **changes}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": ["k"]}',
        b'{"keys": [{"kty": "RSA", "kid": "x"}]}',
        b'{"keys": [{"kty": "oct", "kid": "x", "k": "c2VjcmV0"}]}',
        orjson.dumps({"keys": [{"kty": "RSA"}] * 65}),
    ],
)
def test_a_document_without_usable_keys_is_refused(document: bytes) -> None:
    with pytest.raises(UnusableKeySet):
        read_key_set(document, ["RS256"])


@pytest.mark.parametrize(
    "changes",
    [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "RS512"}, {"alg": "RSA-OAEP"}],
)
def test_a_key_for_something_else_is_left_out(changes: dict[str, object]) -> None:
    good = public(rsa_key("good"))

    assert list(read_key_set(documents(public(rsa_key("k1"), **changes), good), ["RS256"])) == ["good"]


def test_a_short_rsa_key_is_left_out() -> None:
    with pytest.warns(SecurityWarning):
        short = rsa_key("short", 1024)

    with pytest.raises(UnusableKeySet):
        read_key_set(documents(public(short)), ["RS256"])


def test_a_kid_given_twice_means_no_key() -> None:
    keys = documents(public(rsa_key("k1")), public(rsa_key("k2"), kid="k1"), public(rsa_key("good")))

    assert list(read_key_set(keys, ["RS256"])) == ["good"]


def test_a_key_of_another_type_is_left_out() -> None:
    elliptic = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
    keys = documents(public(elliptic), public(rsa_key("k1")))

    assert list(read_key_set(keys, ["RS256"])) == ["k1"]
    assert set(read_key_set(keys, ["RS256", "ES256"])) == {"k1", "ec"}


def test_a_published_private_key_is_used_as_a_public_one() -> None:
    keys = read_key_set(documents(rsa_key("k1").as_dict(private=True)), ["RS256"])

    assert not keys["k1"].is_private
