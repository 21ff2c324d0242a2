"""Step 1: which request this is and whose: id, host, canonical path, and the client's address past trusted balancers."""

import ipaddress
import random
import re
from functools import lru_cache

from trivium_common.http.proxy_protocol import Network, is_in_networks

from .exchange import EdgeExchange
from .paths import normalise_path

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
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
    """Fill in id, host, address and scheme."""
    fields = exchange.fields
    wanted = fields.get(b"x-request-id")
    if wanted is not None and _REQUEST_ID.fullmatch(wanted):
        exchange.request_id = wanted.decode("ascii")
    else:
        # Not a secret, so no system call for it.
        exchange.request_id = f"{random.getrandbits(128):032x}"
    exchange.host = host_name(fields.get(b"host", b""))
    peer = exchange.peer
    exchange.client_address = peer
    exchange.forwarded_for = peer.encode("ascii", "replace")
    if exchange.is_tls:
        exchange.scheme = "https"
    if proxies and proxies.contains(peer):
        _believe(exchange, proxies)


def split_target(exchange: EdgeExchange) -> None:
    """Fill in the canonical path and the raw query. Raises: BadRequest."""
    path, _, exchange.query = exchange.target.partition(b"?")
    exchange.path = normalise_path(path.decode("latin-1"))


@lru_cache(maxsize=1024)
def host_name(host: bytes) -> str:
    """Return a Host header's name in lower case, without the port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text.partition("]")[0][1:]
    return text.partition(":")[0]


def _believe(exchange: EdgeExchange, proxies: TrustedProxies) -> None:
    chain = [value for name, value in exchange.headers if name == b"x-forwarded-for"]
    hops = b",".join(chain)[-_MAX_FORWARDED_BYTES:].decode("latin-1").split(",")[-_MAX_HOPS:]
    believed: list[str] = []
    for hop in reversed(hops):
        address = _address(hop.strip())
        if address is None:
            break  # junk: whoever sent it is the last one we know
        believed.append(address)
        exchange.client_address = address
        if not proxies.contains(address):
            break
    if believed:
        exchange.forwarded_for = ", ".join([*reversed(believed), exchange.peer]).encode("ascii")
    if exchange.fields.get(b"x-forwarded-proto") in {b"http", b"https"}:
        exchange.scheme = exchange.fields[b"x-forwarded-proto"].decode("ascii")


def _address(text: str) -> str | None:
    if text.startswith("[") or text.count(":") == 1:
        text = text.rpartition(":")[0].strip("[]") if not text.endswith("]") else text.strip("[]")
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
