"""Whose requests a limit counts together. A key that cannot be had falls back: never one bucket for all."""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from trivium_edge.proxy.exchange import EdgeExchange

KeyOf = Callable[[EdgeExchange], str]
MAX_HEADER_KEY_BYTES = 256


def by_subject(exchange: EdgeExchange) -> str:
    """The person or device, else the address. Subjects of different consumers are different."""
    identity = exchange.identity
    if identity is None:
        return by_address(exchange)
    return f"s:{identity.consumer}:{identity.subject}"


def by_consumer(exchange: EdgeExchange) -> str:
    """The app, else the address."""
    identity = exchange.identity
    return by_address(exchange) if identity is None else f"c:{identity.consumer}"


def by_address(exchange: EdgeExchange) -> str:
    """The address after trusted proxies; a whole /64 for IPv6, which one household or host owns."""
    address = exchange.client_address
    return f"a:{_network_of(address)}" if ":" in address else f"a:{address}"


def by_route(_: EdgeExchange) -> str:
    """Everybody on the route together."""
    return "r"


def by_header(name: str) -> KeyOf:
    """The value of a request header, else the address (A55: those without it do not share a bucket)."""
    lower = name.lower().encode()

    def key_of(exchange: EdgeExchange) -> str:
        value = exchange.fields.get(lower)
        if not value:
            return by_address(exchange)
        return f"h:{value[:MAX_HEADER_KEY_BYTES].decode('latin-1')}"

    return key_of


@lru_cache(maxsize=10_000)
def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
