"""The signing key: made once, kept in the data directory, known by its thumbprint (RFC 7638)."""

import json
from pathlib import Path

from joserfc.jwk import RSAKey

from trivium_demo.files import read_or_create_secret

ALGORITHM = "RS256"
_KEY_BITS = 2048


def load_signing_key(data_dir: Path) -> RSAKey:
    """The private key of this data directory."""
    text = read_or_create_secret(data_dir / "identity-key.json", _generate_key)
    return RSAKey.import_key(json.loads(text))


def _generate_key() -> bytes:
    key = RSAKey.generate_key(_KEY_BITS)
    return json.dumps({**key.as_dict(private=True), "kid": key.thumbprint()}).encode()


def public_key_set(key: RSAKey) -> dict[str, object]:
    """The JWKS document that verifiers read."""
    return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}]}
