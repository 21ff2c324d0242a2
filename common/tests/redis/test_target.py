"""What a Redis URL means."""

import pytest

from trivium_common.redis.target import Topology, parse_target


def test_plain_url_gives_host_database_and_credentials():
    target = parse_target("redis://ada:s%40crt@cache:6380/2?socket_keepalive=yes")
    assert (target.topology, target.nodes) == (Topology.SINGLE, (("cache", 6380),))
    assert target.options["username"] == "ada"
    assert target.options["password"] == "s@crt"
    assert target.options["db"] == 2


def test_sentinel_url_gives_sentinels_service_and_database():
    target = parse_target("rediss+sentinel://u:p@s1,s2:26380/limits/3?sentinel_password=other")
    assert target.topology is Topology.SENTINEL
    assert target.nodes == (("s1", 26379), ("s2", 26380))
    assert target.service == "limits"
    assert target.options["db"] == 3
    assert target.sentinel_options == {"password": "other"}


def test_cluster_url_gives_all_nodes():
    target = parse_target("valkey+cluster://h1:7000,[::1]:7001")
    assert (target.topology, target.nodes) == (Topology.CLUSTER, (("h1", 7000), ("::1", 7001)))


def test_password_appears_nowhere_in_what_is_shown():
    target = parse_target("redis://ada:secret@cache/0")
    assert target.shown == "redis://cache/0"
    assert "secret" not in repr(target)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://cache", "unknown scheme"),
        ("redis+sentinel://s1", "service's name"),
        ("redis://", "no host"),
        ("redis://cache:port", "no valid port"),
        ("unix+cluster:///tmp/x", "one server only"),
    ],
)
def test_wrong_url_is_refused_with_what_to_write_instead(url, says):
    with pytest.raises(ValueError, match=says):
        parse_target(url)
