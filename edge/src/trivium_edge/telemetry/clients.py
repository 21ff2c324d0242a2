"""Which app, in which version, sent a request, as the app itself says. Bounded: names are labels of metrics."""

import re
from collections.abc import Mapping

MAX_CLIENTS = 200
OTHER = ("other", "")
_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,47}")
# Apollo's clients, graphql-hive's clients, and ours for mobile apps.
_HEADERS = (
    (b"apollographql-client-name", b"apollographql-client-version"),
    (b"graphql-client-name", b"graphql-client-version"),
)
_APP_VERSION = b"x-app-version"


class ClientNames:
    """Reads client name and version; beyond MAX_CLIENTS different ones the rest is counted as `other`."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes], tuple[str, str]] = {}

    def read(self, fields: Mapping[bytes, bytes], kind: str) -> tuple[str, str] | None:
        """(name, version) of the client, None when it does not say. An app version alone names the kind."""
        for name_header, version_header in _HEADERS:
            name = fields.get(name_header)
            if name is not None:
                return self._intern(name, fields.get(version_header, b""))
        version = fields.get(_APP_VERSION)
        return None if version is None else self._intern(kind.encode() or b"app", version)

    def _intern(self, name: bytes, version: bytes) -> tuple[str, str]:
        known = self._known.get((name, version))
        if known is not None:
            return known
        if len(self._known) >= MAX_CLIENTS or _NAME.fullmatch(name) is None:
            return OTHER
        if version and _NAME.fullmatch(version) is None:
            version = b""
        found = (name.decode(), version.decode())
        self._known[(name, version)] = found
        return found
