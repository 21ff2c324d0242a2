"""PROXY protocol v1 and v2: the header a balancer sends first to say whose connection this is.

https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

_V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V1_MAX_BYTES = 107
# Addresses take 216 bytes at most; the rest are extensions (TLVs), which are skipped.
_V2_MAX_BYTES = 4096

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class InvalidPreamble(Exception):
    """The connection does not begin with a PROXY header."""


@dataclass(frozen=True, slots=True)
class Preamble:
    """A parsed header. `source` is empty when the balancer speaks for itself (LOCAL, UNKNOWN)."""

    source: str
    length: int


class ProxyProtocol:
    """Who may send PROXY headers; when it is on, they must."""

    def __init__(self, trusted: tuple[Network, ...]) -> None:
        self._trusted = trusted
        self.trusts = lru_cache(maxsize=1024)(self._trusts)

    def _trusts(self, address: str) -> bool:
        return is_in_networks(address, self._trusted)


def is_in_networks(address: str, networks: tuple[Network, ...]) -> bool:
    """Say whether `address` lies in one of `networks`; what is no address lies in none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def parse_preamble(data: bytes | bytearray) -> Preamble | None:
    """Read the header at the start of `data`; None when more bytes are needed.

    Raises: InvalidPreamble.
    """
    head = bytes(data[:_V2_MAX_BYTES])
    if head.startswith(_V2_SIGNATURE):
        return _parse_v2(head)
    if _V2_SIGNATURE.startswith(head):
        return None
    if head.startswith(b"PROXY ") or b"PROXY ".startswith(head):
        return _parse_v1(head)
    raise InvalidPreamble("it starts with something else")


def _parse_v1(head: bytes) -> Preamble | None:
    end = head.find(b"\r\n", 0, _V1_MAX_BYTES)
    if end < 0:
        if len(head) >= _V1_MAX_BYTES:
            raise InvalidPreamble("the v1 line is too long")
        return None
    parts = head[:end].decode("latin-1").split(" ")
    length = end + 2
    if parts[1] == "UNKNOWN":
        return Preamble("", length)
    if len(parts) != 6 or parts[1] not in {"TCP4", "TCP6"}:
        raise InvalidPreamble("the v1 line is malformed")
    try:
        source = ipaddress.ip_address(parts[2])
        ports = [int(part) for part in parts[4:] if part.isascii() and part.isdigit()]
    except ValueError:
        raise InvalidPreamble("the v1 line names no address") from None
    if source.version != int(parts[1][3]) or len(ports) != 2 or max(ports) > 65535:
        raise InvalidPreamble("the v1 line names no address")
    return Preamble(str(source), length)


def _parse_v2(head: bytes) -> Preamble | None:
    if len(head) < 16:
        return None
    version_command, family = head[12], head[13]
    length = 16 + int.from_bytes(head[14:16], "big")
    if version_command >> 4 != 2 or version_command & 15 > 1:
        raise InvalidPreamble("the v2 version or command is unknown")
    if length > _V2_MAX_BYTES:
        raise InvalidPreamble("the v2 header is too long")
    if len(head) < length:
        return None
    if version_command & 15 == 0:
        return Preamble("", length)  # LOCAL: a health check of the balancer
    size = {1: 4, 2: 16}.get(family >> 4)
    if size is None:
        return Preamble("", length)  # UNSPEC and UNIX name no address
    if length - 16 < 2 * size + 4:
        raise InvalidPreamble("the v2 header is too short for its addresses")
    return Preamble(str(ipaddress.ip_address(head[16 : 16 + size])), length)
