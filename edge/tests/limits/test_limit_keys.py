"""Whose requests are counted together, and what a reload does to counts."""

from types import SimpleNamespace
from typing import Any

import pytest

from trivium_edge.config.models import Limit
from trivium_edge.limits.keys import by_address, by_consumer, by_header, by_subject
from trivium_edge.limits.limits import LimiterStore
from trivium_edge.proxy.contracts import Identity

ADA = Identity("u1", "web-app", "web", b"a")
GRACE = Identity("u2", "web-app", "web", b"b")
DEVICE = Identity("u1", "thermostat", "iot", b"c")


def request(identity: Identity | None = None, address: str = "203.0.113.7", **fields: bytes) -> Any:
    return SimpleNamespace(
        identity=identity,
        client_address=address,
        fields={name.replace("_", "-").encode(): value for name, value in fields.items()},
    )


def test_a_subject_is_counted_alone_and_apart_from_other_consumers() -> None:
    keys = {by_subject(request(who)) for who in (ADA, GRACE, DEVICE)}

    assert len(keys) == 3
    assert by_subject(request(ADA, "198.51.100.1")) == by_subject(request(ADA))


def test_without_a_subject_the_address_counts() -> None:
    assert by_subject(request()) == by_consumer(request()) == by_address(request())


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("203.0.113.7", "203.0.113.8", False),
    ],
)
def test_an_ipv6_network_of_64_bits_is_one_address(one: str, other: str, is_same: bool) -> None:
    """A54."""
    assert (by_address(request(address=one)) == by_address(request(address=other))) is is_same


def test_requests_without_the_header_do_not_share_a_bucket() -> None:
    """A55."""
    key_of = by_header("X-Device-Id")

    assert key_of(request(x_device_id=b"d1")) == key_of(request(x_device_id=b"d1", address="198.51.100.1"))
    assert key_of(request()) == by_address(request())
    assert key_of(request(x_device_id=b"")) == by_address(request())
    assert key_of(request(x_device_id=b"a:203.0.113.7")) != by_address(request())
    assert len(key_of(request(x_device_id=b"x" * 10_000))) < 300


def limits(**changes: object) -> tuple[Limit, ...]:
    return (Limit.model_validate({"rate": 0.001, "burst": 2, **changes}),)


def test_counts_outlive_a_reload_that_leaves_their_figures_alone() -> None:
    store = LimiterStore()
    before = store.compile("web", limits(), 1000)[0]
    assert [before.take_nowait(request(ADA)).allowed for _ in range(3)] == [True, True, False]

    same = store.compile("web", limits(), 1000)[0]
    other = store.compile("web", limits(burst=3), 1000)[0]

    assert not same.take_nowait(request(ADA)).allowed
    assert other.take_nowait(request(ADA)).allowed


def test_limiters_that_no_route_uses_are_forgotten() -> None:
    store = LimiterStore()
    kept = store.compile("web", limits(), 1000)
    store.compile("gone", limits(), 1000)

    store.keep_only(kept)

    assert len(store._limiters) == 1


def test_a_verdict_names_its_rule_by_route_and_limit() -> None:
    named = LimiterStore().compile("iot", limits(name="device"), 1000)[0]

    assert named.take_nowait(request(DEVICE)).rule == "iot/device"
