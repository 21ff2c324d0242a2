"""Keys of bounded size: a long one (a header, a path) is counted under its digest."""

import hashlib

_MAX_CHARS = 64


def bounded_key(key: str) -> str:
    """`key` itself, or a digest of it when it is long; two keys stay two."""
    if len(key) <= _MAX_CHARS:
        return key
    return "#" + hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
