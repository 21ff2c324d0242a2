"""The admin key that everyone knows, so that a development stack starts without set-up. Production refuses it."""

from trivium_common.auth.development import hash_api_key

ADMIN_API_KEY = "trv_dev_admin_5e0c7b61a94fd238"


def is_development_admin_hash(stored: str) -> bool:
    """Whether `stored` (as in gateway.yaml) is the hash of the development admin key."""
    return stored == hash_api_key(ADMIN_API_KEY)
