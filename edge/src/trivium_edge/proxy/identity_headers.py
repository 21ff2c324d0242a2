"""What a BFF is told about the caller: claim headers and the signed X-Edge-Identity, made once per credential and audience."""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from trivium_common.auth.edge_identity import LIFETIME_S
from trivium_common.errors import InvalidCredential

from .contracts import Identity

_MAX_ENTRIES = 50_000
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


class Signer(Protocol):
    """Signs identities, as EdgeIdentitySigner does."""

    def sign(
        self,
        *,
        subject: str,
        consumer: str,
        kind: str,
        audience: str,
        email: str | None = None,
        roles: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (),
        lifetime_s: int = LIFETIME_S,
    ) -> str:
        """Return the compact token."""


class IdentityHeaders:
    """Header lines per (credential, audience); signed again at half of the token's life, dropped on revocation."""

    def __init__(
        self, signer: Signer, *, clock: Callable[[], float] = time.time, max_entries: int = _MAX_ENTRIES
    ) -> None:
        self._signer = signer
        self._clock = clock
        self._max_entries = max_entries
        self._lines: OrderedDict[tuple[bytes, str], tuple[bytes, float]] = OrderedDict()

    def lines(self, identity: Identity, audience: str) -> bytes:
        """Return the header lines for `identity`, each ending in CRLF.

        Raises: InvalidCredential when the subject or consumer could not stand in a header.
        """
        key = (identity.credential, audience)
        kept = self._lines.get(key)
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        now = self._clock()
        lines = _claim_lines(identity)
        if audience:
            lines += b"x-edge-identity: %b\r\n" % self._sign(identity, audience, now).encode("ascii")
        self._lines[key] = (lines, now + LIFETIME_S / 2)
        if len(self._lines) > self._max_entries:
            self._lines.popitem(last=False)
        return lines

    def drop(self, credential: bytes) -> None:
        """Forget what was signed for a credential."""
        for key in [key for key in self._lines if key[0] == credential]:
            del self._lines[key]

    def _sign(self, identity: Identity, audience: str, now: float) -> str:
        return self._signer.sign(
            subject=identity.subject,
            consumer=identity.consumer,
            kind=identity.kind,
            audience=audience,
            email=identity.email or None,
            roles=identity.roles,
            scopes=identity.scopes,
            lifetime_s=int(max(1.0, min(LIFETIME_S, identity.expires_at - now))),
        )


def _claim_lines(identity: Identity) -> bytes:
    for value in (identity.subject, identity.consumer):
        if _UNSAFE.search(value):
            raise InvalidCredential("a claim of the token holds a control character")
    lines = f"x-user-id: {identity.subject}\r\nx-consumer: {identity.consumer}\r\n"
    if identity.email and not _UNSAFE.search(identity.email):
        lines += f"x-user-email: {identity.email}\r\n"
    # A role with a comma would read as two.
    roles = [role for role in identity.roles if role and "," not in role and not _UNSAFE.search(role)]
    if roles:
        lines += f"x-user-roles: {','.join(roles)}\r\n"
    return lines.encode()
