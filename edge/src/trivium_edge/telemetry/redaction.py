"""Query strings as they may be logged: values that could be secrets are cut out."""

import re

MAX_LOGGED_QUERY_BYTES = 512
MAX_LOGGED_PATH_CHARS = 512
# A parameter is secret when its name says so anywhere: access_token, id_token_hint, apikey, client_secret, code ...
_SECRET = re.compile(
    rb"(^|&)([^=&]*(?:token|key|secret|passw|passwd|pwd|auth|credential|session|signature|sig|jwt|code)[^=&]*)=[^&]*",
    re.IGNORECASE,
)


def redact_query(query: bytes) -> str:
    """The query for a log line: secret values replaced, bounded in length, always text."""
    if not query:
        return ""
    shown = _SECRET.sub(rb"\1\2=REDACTED", query) if b"=" in query else query
    text = shown[:MAX_LOGGED_QUERY_BYTES].decode("latin-1")
    return text + "…" if len(shown) > MAX_LOGGED_QUERY_BYTES else text
