"""One view of a path for the edge and the upstream: normalised before any decision, then rewritten.

What two servers could read in two ways (encoded slashes, backslashes, NUL, double encoding) is refused.
"""

import re
from collections.abc import Callable, Sequence

from trivium_common.errors import BadRequest

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})?")
# "%25" and two digits that stand for "/", "\", ".", "%" or a control character once decoded twice.
_DOUBLE_ENCODED = re.compile(r"%25(?:2[eEfF5]|5[cC]|[01][0-9A-Fa-f]|7[fF])")
_DOT_WITH_PARAMETER = re.compile(r"/\.\.?;")
# What curl and browsers send encoded; raw, it is read differently from server to server.
_FORBIDDEN = re.compile(r"[\\#\"<>^`{|}\x00-\x20\x7f-\uffff]")


def normalise_path(raw: str) -> str:
    """Return the canonical form of a request path.

    Percent-encoded unreserved characters are decoded, other escapes get upper-case digits, empty and dot
    segments are removed (RFC 3986 §6.2.2).
    Raises: BadRequest for what has no safe reading.
    """
    if _FORBIDDEN.search(raw):
        raise BadRequest("the path holds a character that must be percent-encoded")
    path = _ENCODED.sub(_decode, raw) if "%" in raw else raw
    if _DOUBLE_ENCODED.search(path) or _DOT_WITH_PARAMETER.search(path):
        raise BadRequest("the path is encoded in a way that can be read as another path")
    if "//" in path or "/." in path:
        path = _remove_segments(path)
    return path


def _decode(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None:
        raise BadRequest("the path holds a % that encodes nothing")
    code = int(digits, 16)
    if code in _UNRESERVED:
        return chr(code)
    if code < 0x20 or code == 0x7F or code in b"/\\":
        raise BadRequest("the path holds an encoded slash, backslash or control character")
    return "%" + digits.upper()


def _remove_segments(path: str) -> str:
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in {"", "."}:
            kept.append(segment)
    ends_open = segments[-1] in {"", ".", ".."} and kept
    return "/" + "/".join(kept) + ("/" if ends_open else "")


def compile_rewrite(rules: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """Compile `regex_uri` rules: the first pattern that matches rewrites the path, `$1` names a group.

    The result is always a path of the same host. Raises: re.error, or ValueError for a group that is not there.
    """
    compiled = [(re.compile(pattern), _template(pattern, replacement)) for pattern, replacement in rules]
    if len(rules) == 1 and (prefix := _as_prefix_swap(*rules[0])) is not None:
        return prefix

    def rewrite(path: str) -> str:
        for pattern, template in compiled:
            match = pattern.match(path)
            if match is not None:
                return _as_path(match.expand(template) + path[match.end() :])
        return path

    return rewrite


def _template(pattern: str, replacement: str) -> str:
    groups = re.compile(pattern).groups

    def group(match: re.Match[str]) -> str:
        if int(match[1]) > groups:
            raise ValueError(f"{replacement!r} names group ${match[1]}, and {pattern!r} has {groups}")
        return rf"\g<{match[1]}>"

    return re.sub(r"\$(\d+)", group, replacement.replace("\\", r"\\"))


def _as_path(text: str) -> str:
    return "/" + text.lstrip("/")


def _as_prefix_swap(pattern: str, replacement: str) -> Callable[[str], str] | None:
    """`^/api/web/(.*)` → `/$1` is what nearly every route says: two string operations instead of a match."""
    parts = re.fullmatch(r"\^((?:/[A-Za-z0-9_~-]+)+)/\(\.\*\)\$?", pattern)
    if parts is None or replacement != "/$1":
        return None
    prefix = parts[1] + "/"
    length = len(parts[1])

    def rewrite(path: str) -> str:
        return path[length:] if path.startswith(prefix) else path

    return rewrite
