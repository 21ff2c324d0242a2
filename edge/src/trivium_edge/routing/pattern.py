"""The three ways to write a route's path: exact, below a prefix, with one-segment fields."""

import re
from dataclasses import dataclass

_FIELD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
# RFC 3986 pchar without percent-encodings: the edge matches the normalised path.
_LITERAL = re.compile(r"[A-Za-z0-9\-._~!$&'()+,;=:@]*")

FIELD = "{}"


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A parsed uri. A segment is a literal or FIELD; `is_prefix` means that anything may follow."""

    segments: tuple[str, ...]
    is_prefix: bool
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/" + "/".join(self.segments + (("*",) if self.is_prefix else ()))


def parse_pattern(uri: str) -> PathPattern:
    """The pattern of a route's `uri`.

    Raises: ValueError, with what was expected instead.
    """
    if not uri.startswith("/"):
        raise ValueError("expected a path that begins with /")
    segments = uri[1:].split("/")
    is_prefix = segments[-1] == "*"
    if is_prefix:
        segments.pop()
    fields: list[str] = []
    parsed = [_parse_segment(segment, fields) for segment in segments]
    if "" in parsed[: None if is_prefix else -1]:
        raise ValueError("expected a path without empty segments (//): no request has them after normalising")
    return PathPattern(tuple(parsed), is_prefix, tuple(fields))


def _parse_segment(segment: str, fields: list[str]) -> str:
    if (field := _FIELD.fullmatch(segment)) is not None:
        if field[1] in fields:
            raise ValueError(f"the field {{{field[1]}}} stands there twice")
        fields.append(field[1])
        return FIELD
    if "{" in segment or "}" in segment:
        raise ValueError(f"found `{segment}`, expected a field as a whole segment such as {{id}}")
    if "*" in segment:
        raise ValueError(f"found `{segment}`, expected * only as the last segment (/api/web/*)")
    if segment in (".", ".."):
        raise ValueError(f"found the segment `{segment}`, which no request has after normalising")
    if _LITERAL.fullmatch(segment) is None:
        raise ValueError(
            f"found `{segment}`, expected letters, digits and -._~!$&'()+,;=:@ (no ? # % or spaces)"
        )
    return segment
