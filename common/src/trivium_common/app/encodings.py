"""Compression of ready answers: which coding the client takes best, and when it is worth the time.

gzip comes with Python. Further codings are further entries of `CODERS`, best first.
"""

import zlib
from collections.abc import Callable

MIN_BYTES = 1024
_GZIP = 31  # zlib's way to say: gzip's frame


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, 1, _GZIP)


CODERS: dict[str, Callable[[bytes], bytes]] = {"gzip": _gzip}


def pick_encoding(accepted: str) -> str | None:
    """The first of `CODERS` with the highest quality in an Accept-Encoding value, or None for identity.

    Source: RFC 9110 §12.5.3. What cannot be read is not accepted.
    """
    qualities = {}
    for part in accepted.lower().split(","):
        name, _, parameter = part.partition(";")
        qualities[name.strip()] = _parse_quality(parameter)
    best, best_quality = None, 0.0
    for name in CODERS:
        quality = qualities.get(name, qualities.get("*", 0.0))
        if quality > best_quality:
            best, best_quality = name, quality
    return best if best_quality >= qualities.get("identity", 0.0) else None


def _parse_quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip() == "q" and 0.0 <= quality <= 1.0 else 0.0
