"""The kinds of values a setting can have, each read from one way of writing it.

A value from `${...}` is a text and is read as its setting wants it; a value written in the file must have
the right type itself (`port: "8000"` is refused).
"""

import os
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from trivium_edge.config.positions import Interpolated

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)")
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"([0-9]+)\s*(B|KB|MB|GB|KiB|MiB|GiB)")
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _typed_from_text(read: Callable[[str], object]) -> BeforeValidator:
    def convert(value: Any) -> Any:
        if not isinstance(value, Interpolated):
            return value
        try:
            return read(str(value))
        except ValueError:
            return value

    return BeforeValidator(convert)


def _read_flag(text: str) -> bool:
    flags = {
        "true": True,
        "on": True,
        "yes": True,
        "1": True,
        "false": False,
        "off": False,
        "no": False,
        "0": False,
    }
    if text.lower() not in flags:
        raise ValueError(text)
    return flags[text.lower()]


def _read_duration(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("expected a duration such as 250ms, 3s, 1m or 2h")
    if isinstance(value, Interpolated) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("expected a duration such as 250ms, 3s, 1m or 2h")
        return float(match[1]) * _SECONDS[match[2]]
    return float(value)


def _read_size(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("expected a size such as 512KiB or 2MB, or a number of bytes")
    if isinstance(value, Interpolated) and value.isdecimal():
        return int(value)
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            raise ValueError("expected a size such as 512KiB or 2MB, or a number of bytes")
        return int(match[1]) * _BYTES[match[2]]
    return value


def _read_list(value: Any) -> Any:
    """A list; from `${...}` also texts with commas between them, and nothing at all as an empty list."""
    if value is None:
        return ()
    if isinstance(value, Interpolated):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _read_one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, dict) else value


def _read_workers(value: Any) -> Any:
    return os.cpu_count() or 1 if value == "auto" else value


def _check(pattern: re.Pattern[str], expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


def _check_url(value: str, schemes: tuple[str, ...], expected: str) -> str:
    try:
        parts = urlsplit(value)
        is_sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    else:
        is_sound = is_sound and parts.scheme in schemes and not parts.username and not parts.query
    if not is_sound or any(char.isspace() or ord(char) < 32 for char in value):
        raise ValueError(f"expected {expected}")
    return value


def _check_origin(value: str) -> str:
    if value.startswith("unix:///"):
        return value
    expected = (
        "an address such as http://127.0.0.1:3000, https://host or unix:///run/web.sock, without a path"
    )
    value = _check_url(value, ("http", "https"), expected).rstrip("/")
    if urlsplit(value).path:
        raise ValueError(f"expected {expected}; a path belongs into the route's proxy-rewrite")
    return value


def _check_http_url(value: str) -> str:
    return _check_url(value, ("http", "https"), "a URL such as https://id.example.com/realms/main")


def _read_network(value: Any) -> Any:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    expected = "expected an address or network such as 10.0.0.7 or 10.0.0.0/8"
    if not isinstance(value, str):
        raise ValueError(expected)
    try:
        return ip_network(value)
    except ValueError as error:
        hint = "; it has bits set behind the prefix" if "host bits" in str(error) else ""
        raise ValueError(expected + hint) from None


Flag = Annotated[bool, _typed_from_text(_read_flag), Field(strict=True)]
Count = Annotated[int, _typed_from_text(int), Field(strict=True)]
Number = Annotated[float, _typed_from_text(float), Field(strict=True, allow_inf_nan=False)]
Port = Annotated[int, _typed_from_text(int), Field(strict=True, ge=0, le=65535)]
Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, _check(_NAME, "a name of letters, digits, `.`, `_` and `-` (at most 64)")]
HeaderName = Annotated[str, _check(_TOKEN, "a header name such as X-Device-Id")]
HeaderValue = Annotated[
    str, _check(re.compile(r"[\t\x20-\x7e]*"), "a header value: printable ASCII, no line break")
]
HostPattern = Annotated[str, _check(_HOST, "a host in lower case such as api.example.com or *.example.com")]
KeyHash = Annotated[str, _check(_HASH, "sha256: and 64 hexadecimal digits (`trivium key create` prints one)")]
_DURATION_SCHEMA = WithJsonSchema(
    {
        "description": "A duration such as 250ms, 3s, 1m or 2h; a number means seconds.",
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)$"},
        ],
    }
)
Seconds = Annotated[float, BeforeValidator(_read_duration), Field(gt=0, le=86400 * 366), _DURATION_SCHEMA]
Bytes = Annotated[
    int,
    BeforeValidator(_read_size),
    Field(ge=0),
    WithJsonSchema(
        {
            "description": "A size such as 512KiB or 2MB; a number means bytes.",
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^[0-9]+\s*(B|KB|MB|GB|KiB|MiB|GiB)$"},
            ],
        }
    ),
]
Origin = Annotated[str, AfterValidator(_check_origin)]
HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_read_network),
    PlainSerializer(str, return_type=str),
    WithJsonSchema(
        {"type": "string", "description": "An address or network: 10.0.0.7, 10.0.0.0/8, fd00::/8."}
    ),
]
Workers = Annotated[
    int,
    BeforeValidator(_read_workers),
    _typed_from_text(int),
    Field(strict=True, ge=1, le=128),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 128}, {"const": "auto"}]}),
]
FROM_COMMAS = BeforeValidator(_read_list)
ONE_OR_MANY = BeforeValidator(_read_one_or_many)
