"""Which header lines pass the edge in each direction, decided once per name."""

from collections.abc import Iterable
from functools import lru_cache

from trivium_common.http.call import Call
from trivium_common.http.headers import HOP_BY_HOP, Pair, connection_options

# What only the edge may say to a BFF (docs/wire-contract.md). From a client they are forgeries.
TRUST_HEADERS = frozenset(
    {
        b"forwarded",
        b"x-consumer",
        b"x-edge-identity",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-server",
        b"x-real-ip",
        b"x-request-id",
        b"x-request-timeout-ms",
        b"x-retry-attempt",
        b"x-user-email",
        b"x-user-id",
        b"x-user-roles",
    }
)
_CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
# The server's connection has dealt with these, or the edge writes them itself.
_FRAMING = frozenset({b"host", b"content-length", b"expect"})
_MAX_KNOWN_NAMES = 2048
_MAX_KNOWN_LENGTH = 64


class LinePrefixes(dict[bytes, bytes]):
    """Header name → `name: ` for those that pass, empty for those that do not.

    `prefixes[name]` decides a new name once and remembers it, up to a bound.
    """

    def __init__(self, dropped: frozenset[bytes], dropped_start: bytes) -> None:
        super().__init__()
        self._dropped = dropped
        self._dropped_start = dropped_start

    def __missing__(self, name: bytes) -> bytes:
        # Some frameworks read X_User_ID as X-User-ID.
        plain = name.replace(b"_", b"-")
        passes = plain not in self._dropped and not plain.startswith(self._dropped_start)
        prefix = name + b": " if passes else b""
        if len(self) < _MAX_KNOWN_NAMES and len(name) <= _MAX_KNOWN_LENGTH:
            self[name] = prefix
        return prefix


_UPWARD = LinePrefixes(HOP_BY_HOP | TRUST_HEADERS | _CREDENTIALS | _FRAMING, b"x-trivium-")
_DOWNWARD = LinePrefixes(HOP_BY_HOP | frozenset({b"content-length", b"x-request-id"}), b"x-trivium-")
_HARMLESS_CONNECTION = frozenset({b"keep-alive", b"close", b"Keep-Alive"})


def lines_up(headers: Iterable[Pair], connection: bytes | None, hidden: frozenset[bytes]) -> bytes:
    """Return the client's header lines that the upstream may see."""
    prefixes = _UPWARD
    if hidden or (connection is not None and connection not in _HARMLESS_CONNECTION):
        # Names that the client calls hop-by-hop go; what the edge adds afterwards stays (CVE-2024-45410).
        named = connection_options(connection) if connection is not None else set()
        headers = [pair for pair in headers if pair[0] not in named and pair[0] not in hidden]
    return b"".join([prefix + value + b"\r\n" for name, value in headers if (prefix := prefixes[name])])


def lines_down(call: Call, replaced: frozenset[bytes]) -> bytes:
    """Return the upstream's header lines that the client may see; names in `replaced` are set by the route."""
    prefixes = _DOWNWARD
    headers = call.headers
    connection = call.fields.get(b"connection")
    if replaced or (connection is not None and connection not in _HARMLESS_CONNECTION):
        options = [connection_options(value) for name, value in headers if name == b"connection"]
        named = set().union(replaced, *options)
        headers = [pair for pair in headers if pair[0] not in named]
    return b"".join([prefix + value + b"\r\n" for name, value in headers if (prefix := prefixes[name])])


@lru_cache(maxsize=1024)
def set_block(pairs: tuple[Pair, ...]) -> tuple[bytes, frozenset[bytes]]:
    """Return header lines that a route sets, and the names that they replace."""
    return b"".join(b"%b: %b\r\n" % pair for pair in pairs), frozenset(name.lower() for name, _ in pairs)
