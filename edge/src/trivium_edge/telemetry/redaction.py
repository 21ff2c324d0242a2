"""Query strings as they may be logged: values that could be secrets are cut out."""

import re

MAX_LOGGED_QUERY_BYTES = 512
MAX_LOGGED_PATH_CHARS = 512
# A parameter is secret when its name says so anywhere: access_token, id_token_hint, apikey, client_secret, code ...
_WORDS = (
    b"token",
    b"key",
    b"secret",
    b"pass",
    b"pwd",
    b"auth",
    b"credential",
    b"session",
    b"sig",
    b"jwt",
    b"code",
)
# Cheap, and nearly always no: an expression without flags is four times as fast as one that ignores case.
_NAMES_A_SECRET = re.compile(b"|".join(_WORDS))
_ESCAPED_NAME = re.compile(rb"(?:^|&)[^=&]*%[^=&]*=")
_ANY_VALUE = re.compile(rb"([^=&]+)=[^&]*")
_SECRET = re.compile(rb"(^|&)([^=&]*(?:" + b"|".join(_WORDS) + rb")[^=&]*)=[^&]*", re.IGNORECASE)


def redact_query(query: bytes) -> str:
    """The query for a log line: secret values replaced, bounded in length, always text."""
    if not query:
        return ""
    # An escape can spell a secret name in another way (%74oken): then every value goes.
    if b"%" in query and _ESCAPED_NAME.search(query):
        query = _ANY_VALUE.sub(rb"\1=REDACTED", query)
    elif _NAMES_A_SECRET.search(query.lower()):
        query = _SECRET.sub(rb"\1\2=REDACTED", query)
    text = query[:MAX_LOGGED_QUERY_BYTES].decode("latin-1")
    return text + "…" if len(query) > MAX_LOGGED_QUERY_BYTES else text
