"""Header lists: names in lower case, values as they came, in order. Rendering refuses what could split a message."""

from collections.abc import Iterable, Iterator, Sequence

Pair = tuple[bytes, bytes]

# RFC 9110 §7.6.1, with the names that older software still sends: they belong to one connection.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    }
)


class Headers:
    """An immutable view of received headers; names are looked up in lower case."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.pairs = pairs

    def get(self, name: bytes) -> bytes | None:
        """Return the first value of `name` (lower case), or None."""
        for key, value in self.pairs:
            if key == name:
                return value
        return None

    def get_all(self, name: bytes) -> list[bytes]:
        """Return every value of `name` (lower case) in order."""
        return [value for key, value in self.pairs if key == name]

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs)!r})"


def render_request_head(method: str, target: str, host: bytes, headers: Iterable[Pair]) -> bytearray:
    """Write the request line, Host and `headers`, without the empty line that ends them.

    Raises: ValueError when anything in it would break out of its line.
    """
    line = f"{method} {target} HTTP/1.1\r\n".encode("ascii", "strict")
    if line.count(b" ") != 2 or not target.startswith("/"):
        raise ValueError(f"not a request target: {target!r}")
    head = bytearray(line)
    head += b"host: "
    head += host
    head += b"\r\n"
    lines = 2
    for name, value in headers:
        head += name
        head += b": "
        head += value
        head += b"\r\n"
        lines += 1
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise ValueError("a header of this request holds a line break or NUL")
    return head


def connection_options(value: bytes) -> set[bytes]:
    """Return the header names that a Connection header declares hop-by-hop."""
    return {option.strip().lower() for option in value.split(b",")}
