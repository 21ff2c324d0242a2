"""Redis's wire format (RESP2) for commands, in pieces that can be made once and joined."""

from collections.abc import Sequence


def bulk(parts: Sequence[bytes]) -> bytes:
    """`parts` as bulk strings, without the array around them."""
    return b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


def pack(parts: Sequence[bytes]) -> bytes:
    """A whole command."""
    return b"*%d\r\n" % len(parts) + bulk(parts)
