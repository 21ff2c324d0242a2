"""Step 1: which request this is and whose: id, host, canonical path, and the client's address past trusted balancers."""

import ipaddress
import random
import re
from functools import lru_cache

from trivium_common.http.proxy_protocol import Network, is_in_networks

from .exchange import Client, EdgeExchange
from .paths import normalise_path

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
# Longer paths are worked out each time, so that what is remembered stays small.
_MAX_KNOWN_PATH_BYTES = 256
# Hops that are looked at from the right; what lies beyond is not believed.
_MAX_HOPS = 32
_MAX_FORWARDED_BYTES = 4096


class TrustedProxies:
    """The networks whose X-Forwarded-* headers are believed."""

    def __init__(self, networks: tuple[Network, ...]) -> None:
        self._networks = networks
        self.contains = lru_cache(maxsize=4096)(self._contains)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def _contains(self, address: str) -> bool:
        return is_in_networks(address, self._networks)


def identify(exchange: EdgeExchange, proxies: TrustedProxies) -> None:
    """Fill in the request's id and the client; a connection that repeats its headers is the same client."""
    connection = exchange.connection
    client = connection.memo
    if not isinstance(client, Client) or client.headers is not exchange.headers:
        client = connection.memo = _find_client(exchange, proxies)
    exchange.client = client
    # Not a secret, so no system call for it.
    exchange.request_id = client.request_id or f"{random.getrandbits(128):032x}"


def split_target(exchange: EdgeExchange) -> None:
    """Fill in the canonical path and the raw query. Raises: BadRequest."""
    path, _, exchange.query = exchange.target.partition(b"?")
    exchange.path = _known_path(path) if len(path) <= _MAX_KNOWN_PATH_BYTES else _canonical_path(path)


def _canonical_path(path: bytes) -> str:
    return normalise_path(path.decode("latin-1"))


_known_path = lru_cache(maxsize=8192)(_canonical_path)


@lru_cache(maxsize=1024)
def host_name(host: bytes) -> str:
    """Return a Host header's name in lower case, without the port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text.partition("]")[0][1:]
    return text.partition(":")[0]


def _find_client(exchange: EdgeExchange, proxies: TrustedProxies) -> Client:
    fields = exchange.fields
    peer = exchange.peer
    host = fields.get(b"host", b"")
    address, chain = peer, peer
    scheme = "https" if exchange.is_tls else "http"
    if proxies and proxies.contains(peer):
        address, chain = _believed_chain(exchange, proxies)
        if fields.get(b"x-forwarded-proto") in {b"http", b"https"}:
            scheme = fields[b"x-forwarded-proto"].decode("ascii")
    wanted = fields.get(b"x-request-id", b"")
    lines = b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nx-forwarded-host: %b\r\n" % (
        chain.encode("ascii", "replace"),
        scheme.encode("ascii"),
        host,
    )
    request_id = wanted.decode("ascii") if _REQUEST_ID.fullmatch(wanted) else ""
    return Client(exchange.headers, address, host_name(host), scheme, request_id, lines)


def _believed_chain(exchange: EdgeExchange, proxies: TrustedProxies) -> tuple[str, str]:
    """Return the client's address and the X-Forwarded-For to send on, as far as trusted proxies vouch for it."""
    values = [value for name, value in exchange.headers if name == b"x-forwarded-for"]
    hops = b",".join(values)[-_MAX_FORWARDED_BYTES:].decode("latin-1").split(",")[-_MAX_HOPS:]
    client = exchange.peer
    believed = [exchange.peer]
    for hop in reversed(hops):
        address = _address(hop.strip())
        if address is None:
            break  # junk: whoever sent it is the last one we know
        believed.append(address)
        client = address
        if not proxies.contains(address):
            break
    return client, ", ".join(reversed(believed))


def _address(text: str) -> str | None:
    if text.startswith("[") or text.count(":") == 1:
        text = text.rpartition(":")[0].strip("[]") if not text.endswith("]") else text.strip("[]")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
