"""Cursors that only we can make: the upstream's cursor, bound to the list and the caller it was made for.

Signed, not encrypted: a client can read its cursor and cannot make or move one.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

from trivium_common.errors import BadRequest

MAX_CURSOR_LENGTH = 1024
_MAC_BYTES = 16


class CursorSigner:
    """Makes and checks cursors with `key`; every replica of a BFF needs the same one."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, upstream_cursor: str, *binding: object) -> str:
        """A cursor that `open` takes with the same `binding` only: the list, the caller, the filters."""
        inner = upstream_cursor.encode()
        return urlsafe_b64encode(self._sign(inner, binding) + inner).decode().rstrip("=")

    def open(self, cursor: str, *binding: object) -> str:
        """The upstream's cursor. Raises: BadRequest, for one that was not made here for this list."""
        refusal = BadRequest("cursor: it was not made for this list; begin again without it")
        if len(cursor) > MAX_CURSOR_LENGTH or not cursor.isascii():
            raise refusal
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError as error:
            raise refusal from error
        mac, inner = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        # Other spellings of the same bytes are no cursors of ours either.
        is_ours = hmac.compare_digest(mac, self._sign(inner, binding))
        if not is_ours or urlsafe_b64encode(raw).decode().rstrip("=") != cursor:
            raise refusal
        return inner.decode()

    def _sign(self, inner: bytes, binding: tuple[object, ...]) -> bytes:
        # Its repr tells ("a", "b") from ("ab", "") and "1" from 1.
        message = repr(binding).encode() + b"\0" + inner
        return hmac.digest(self._key, message, hashlib.sha256)[:_MAC_BYTES]
