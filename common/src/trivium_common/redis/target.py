"""Which Redis a URL means: one server, a service watched by Sentinels, or a Cluster.

    redis://user:password@host:6379/0        rediss:// for TLS, unix:///path for a socket
    redis+sentinel://h1:26379,h2:26379/service/0
    redis+cluster://h1:7000,h2:7001          rediss+sentinel, rediss+cluster: the same over TLS

Options of redis-py's URLs (`?ssl_ca_certs=...`) work in all of them; the Sentinels' own credentials are
`?sentinel_username=...&sentinel_password=...`. valkey:// and valkeys:// are other names for redis://.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis.asyncio.connection import parse_url

_DEFAULT_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")


class Topology(StrEnum):
    """How the servers behind a URL are found."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """A parsed URL. `options` are redis-py's arguments for a connection; they hold the password: never log them."""

    topology: Topology
    nodes: tuple[tuple[str, int], ...]
    shown: str
    options: Mapping[str, object] = field(repr=False)
    service: str = ""
    sentinel_options: Mapping[str, object] = field(default_factory=dict, repr=False)


def parse_target(url: str) -> RedisTarget:
    """The target that `url` means.

    Raises: ValueError, saying what is wrong without repeating a password.
    """
    split = urlsplit(url)
    scheme, _, kind = split.scheme.replace("valkeys", "rediss").replace("valkey", "redis").partition("+")
    if scheme not in ("redis", "rediss", "unix") or kind not in ("", "sentinel", "cluster"):
        raise ValueError(
            f"unknown scheme {split.scheme!r}: use redis, rediss, unix, redis+sentinel or redis+cluster"
        )
    topology = Topology(kind or "single")
    query = dict(parse_qsl(split.query))
    sentinel = {
        name.removeprefix("sentinel_"): query.pop(name) for name in _SENTINEL_OPTIONS if name in query
    }
    userinfo, _, hosts = split.netloc.rpartition("@")
    nodes = tuple(_node(host, topology) for host in hosts.split(",") if host)
    path, service = split.path, ""
    if topology is Topology.SENTINEL:
        service, _, path = path.strip("/").partition("/")
        if not service:
            raise ValueError(
                "redis+sentinel:// needs the service's name: redis+sentinel://host:26379/service"
            )
    if scheme != "unix" and not nodes:
        raise ValueError("the URL names no host")
    if topology is not Topology.SINGLE and scheme == "unix":
        raise ValueError("a unix socket leads to one server only")
    plain = SplitResult(scheme, _join(userinfo, nodes), path, urlencode(query), "")
    options = dict(parse_url(plain.geturl()))
    shown = f"{split.scheme}://{hosts}{split.path}"
    return RedisTarget(topology, nodes, shown, options, service, sentinel)


def _node(host: str, topology: Topology) -> tuple[str, int]:
    split = urlsplit(f"//{host}")
    try:
        port = split.port
    except ValueError:
        raise ValueError(f"{host!r} has no valid port") from None
    return split.hostname or "127.0.0.1", port or _DEFAULT_PORTS[topology]


def _join(userinfo: str, nodes: tuple[tuple[str, int], ...]) -> str:
    if not nodes:
        return f"{userinfo}@" if userinfo else ""
    host, port = nodes[0]
    bracketed = f"[{host}]" if ":" in host else host
    return f"{userinfo}@{bracketed}:{port}" if userinfo else f"{bracketed}:{port}"
