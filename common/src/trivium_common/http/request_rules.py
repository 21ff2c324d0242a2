"""What a request head must fulfil beyond what the parser checks. Strict: what two parsers could read in two ways is refused."""

import re

import httptools

from .exchange import Exchange, RequestFault
from .headers import Pair
from .limits import ServerLimits

# A second one of these changes who asks, or where a message ends.
_SINGLE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"origin",
        b"transfer-encoding",
        b"x-api-key",
    }
)
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_ABSOLUTE = re.compile(rb"https?://([^/?#@]+)([^#]*)", re.IGNORECASE)


def judge(
    exchange: Exchange, parser: httptools.HttpRequestParser, limits: ServerLimits, head_bytes: int
) -> RequestFault | None:
    """Fill in what the head says about the message; returns why the request is refused, if it is.

    `head_bytes` bounds the size of the head from above.
    """
    exchange.keep_alive = parser.should_keep_alive()
    version = parser.get_http_version()
    if version != "1.1":
        exchange.is_http_11 = False
        if version != "1.0":
            return RequestFault(400, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    fault = _check_size(exchange, limits, head_bytes) or judge_target(exchange, limits)
    if fault is not None:
        return fault
    fields = exchange.fields
    headers = exchange.headers
    if len(fields) < len(headers) and (twice := _find_second(headers)):
        return RequestFault(400, f"the header {twice} came twice")
    host = fields.get(b"host")
    if host is None:
        if exchange.is_http_11:
            return RequestFault(400, "an HTTP/1.1 request needs a Host header")
    elif not _HOST.fullmatch(host):
        return RequestFault(400, "the Host header is not valid")
    return _read_framing(exchange, parser)


def judge_target(exchange: Exchange, limits: ServerLimits) -> RequestFault | None:
    """Check the request target alone; an absolute one is taken apart."""
    target = exchange.target
    if len(target) > limits.max_url_bytes:
        return RequestFault(414, "")
    if not target.startswith(b"/") and not _read_other_target(exchange):
        return RequestFault(400, "the request target is not a path")
    return None


def is_plain(exchange: Exchange) -> bool:
    """Say whether all that the head decides follows from its headers again when they repeat."""
    return (
        exchange.keep_alive
        and exchange.is_http_11
        and not exchange.wants_upgrade
        and not exchange.expects_continue
        and exchange.content_length is None
        and b"transfer-encoding" not in exchange.fields
        and exchange.method != "CONNECT"
    )


def _check_size(exchange: Exchange, limits: ServerLimits, head_bytes: int) -> RequestFault | None:
    headers = exchange.headers
    if len(headers) > limits.max_header_count or (
        head_bytes > limits.max_header_bytes
        and sum(len(name) + len(value) + 4 for name, value in headers) > limits.max_header_bytes
    ):
        return RequestFault(431, "")
    return None


def _read_framing(exchange: Exchange, parser: httptools.HttpRequestParser) -> RequestFault | None:
    fields = exchange.fields
    coding = fields.get(b"transfer-encoding")
    if coding is not None and (coding.lower() != b"chunked" or not exchange.is_http_11):
        return RequestFault(400, "the only transfer coding that is read here is chunked, in HTTP/1.1")
    length = fields.get(b"content-length")
    if length is not None:
        exchange.content_length = int(length)
    if b"expect" in fields:
        exchange.expects_continue = fields[b"expect"].lower() == b"100-continue"
    if (b"upgrade" in fields or exchange.method == "CONNECT") and parser.should_upgrade():
        exchange.wants_upgrade = True
        if exchange.content_length or coding is not None:
            return RequestFault(400, "a request that asks for another protocol cannot have a body")
    return None


def _read_other_target(exchange: Exchange) -> bool:
    """Absolute form (RFC 9112 §3.2.2: its authority replaces Host) and "*" for OPTIONS; nothing else is taken."""
    absolute = _ABSOLUTE.fullmatch(exchange.target)
    if absolute is None:
        return exchange.target == b"*" and exchange.method == "OPTIONS"
    rest = absolute[2]
    exchange.target = rest if rest.startswith(b"/") else b"/" + rest
    exchange.fields = {**exchange.fields, b"host": absolute[1]}
    return True


def _find_second(headers: list[Pair]) -> str | None:
    seen = set()
    for name, _ in headers:
        if name in seen and name in _SINGLE:
            return name.decode("latin-1")
        seen.add(name)
    return None
