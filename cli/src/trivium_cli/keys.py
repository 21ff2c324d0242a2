"""New keys: an API key for a consumer, a pair for signing what the edge says of a caller."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from trivium_cli.errors import Refused

API_KEY_BYTES = 32


def create_api_key(consumer: str, subject: str) -> str:
    """A new API key and the line for gateway.yaml, as text for a person. The key itself is stored nowhere."""
    from trivium_common.auth.development import hash_api_key

    key = f"trv_{secrets.token_urlsafe(API_KEY_BYTES)}"
    key_id = f"{subject}-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(2)}"
    entry = f'- {{id: "{key_id}", hash: "{hash_api_key(key)}", subject: "{subject}"}}'
    return "\n".join(
        (
            f"key (shown this once, send it as X-API-Key): {key}",
            f"for gateway.yaml, under consumers: name: {consumer}: api_keys:",
            f"  {entry}",
        )
    )


def create_signing_key(path: Path) -> str:
    """Write a new private Ed25519 key to `path` and return the JWKS with its public half.

    The file is for TRIVIUM_EDGE_PRIVATE_KEY of the edges, the JWKS for TRIVIUM_EDGE_PUBLIC_KEYS of the BFFs.
    Raises: Refused, when the file exists or cannot be written.
    """
    import json

    from joserfc.jwk import OKPKey

    key = OKPKey.generate_key("Ed25519", auto_kid=True)
    try:
        # Created unreadable for others, and never over a key that is in use.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(key.as_dict(private=True), file)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; name a file that does not exist yet") from error
    return json.dumps({"keys": [key.as_dict(private=False)]}, indent=2)
