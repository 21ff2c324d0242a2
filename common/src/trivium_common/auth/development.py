"""Keys that everyone knows, so that a stack starts without set-up. Production refuses each of them."""

import base64
import hashlib

from joserfc.jwk import OKPKey

_SEED = hashlib.sha256(b"trivium development key: not a secret").digest()

# API keys of the two demo devices in edge/gateway.yaml, where their hashes stand.
DEVICE_API_KEYS = {
    "d1": "trv_dev_d1_1f9b6c2e7a405d83",
    "d2": "trv_dev_d2_c04e8a91d36f7b25",
}
# The admin API's operator, likewise.
ADMIN_API_KEY = "trv_dev_admin_5e0c7b61a94fd238"


def hash_api_key(key: str) -> str:
    """How gateway.yaml stores an API key: `sha256:` and the hexadecimal digest.

    A plain digest is enough because keys are random and long; see docs/adr.
    """
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def development_private_key() -> OKPKey:
    """The Ed25519 key that signs X-Edge-Identity where no other is configured."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(_SEED).public_key().public_bytes_raw()
    jwk: dict[str, str | list[str]] = {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": _base64url(public),
        "d": _base64url(_SEED),
        "kid": "development",
    }
    return OKPKey.import_key(jwk)


def is_development_key(key: OKPKey) -> bool:
    """Whether `key` is the development key, whatever its kid says."""
    return key.thumbprint() == development_private_key().thumbprint()


def is_development_api_key_hash(stored: str) -> bool:
    """Whether `stored` (as in gateway.yaml) is the hash of a development API key."""
    return stored in {hash_api_key(key) for key in DEVICE_API_KEYS.values()}


def is_development_admin_hash(stored: str) -> bool:
    """Whether `stored` (as in gateway.yaml) is the hash of the development admin key."""
    return stored == hash_api_key(ADMIN_API_KEY)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
