"""Which published keys are fit to verify tokens. Stricter than the library: one weak key is one too many."""

import logging
import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import orjson
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

log = logging.getLogger(__name__)

MIN_RSA_BITS = 2048
MAX_KEYS = 64
_ALGORITHM_TYPES: dict[str, type[Key]] = {"RS256": RSAKey, "PS256": RSAKey, "ES256": ECKey, "Ed25519": OKPKey}


class UnusableKeySet(ValueError):
    """The document is no JWKS, or holds no key that may be used."""


def read_key_set(document: bytes, algorithms: Collection[str]) -> Mapping[str, Key]:
    """The usable keys of a JWKS by their kid.

    Left out: keys for encryption, of the wrong type, too weak, without a kid (unless it is the only key), and
    every kid that is there twice, since nobody could say which key it means.
    Raises: UnusableKeySet.
    """
    try:
        entries = orjson.loads(document)["keys"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnusableKeySet("the answer is no JWKS document") from error
    if not isinstance(entries, list) or len(entries) > MAX_KEYS:
        raise UnusableKeySet(f"expected a list of at most {MAX_KEYS} keys")
    usable = [entry for entry in entries if isinstance(entry, dict) and _is_for_signatures(entry, algorithms)]
    times = Counter(_kid_of(entry) for entry in usable)
    keys: dict[str, Key] = {}
    for entry in usable:
        kid = _kid_of(entry)
        if times[kid] > 1 or (not kid and len(usable) > 1):
            log.warning("a key is left out: its kid is missing or not its own", extra={"kid": kid})
            continue
        if (key := _import(entry, algorithms)) is not None:
            keys[kid] = key
    if not keys:
        raise UnusableKeySet("the JWKS holds no key that may verify these tokens")
    return keys


def _kid_of(entry: Mapping[str, object]) -> str:
    kid = entry.get("kid")
    return kid if isinstance(kid, str) else ""


def _is_for_signatures(entry: Mapping[str, object], algorithms: Collection[str]) -> bool:
    operations = entry.get("key_ops")
    return (
        entry.get("use", "sig") == "sig"
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
        and (entry.get("alg") is None or entry.get("alg") in algorithms)
    )


def _import(entry: dict[str, Any], algorithms: Collection[str]) -> Key | None:
    types = {_ALGORITHM_TYPES[algorithm].key_type: _ALGORITHM_TYPES[algorithm] for algorithm in algorithms}
    key_type = types.get(str(entry.get("kty")))
    if key_type is None:
        return None
    # A private key in public is no secret any more, and is read as what it should have been.
    public = {
        name: value for name, value in entry.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")
    }
    try:
        with warnings.catch_warnings():
            # Short keys are refused below, which says more than a warning.
            warnings.simplefilter("ignore", SecurityWarning)
            key = key_type.import_key(public)
    except (JoseError, ValueError, TypeError) as error:
        log.warning(
            "a key is left out: it cannot be read", extra={"kid": _kid_of(entry), "detail": str(error)}
        )
        return None
    return key if _is_strong(key) else None


def _is_strong(key: Key) -> bool:
    match key:
        case RSAKey():
            return key.raw_value.key_size >= MIN_RSA_BITS
        case ECKey():
            return key.curve_name == "P-256"
        case OKPKey():
            return key.curve_name == "Ed25519"
    return False


def fits(key: Key, algorithm: str) -> bool:
    """Whether `key` may verify `algorithm`: its type, and its own `alg` where it names one."""
    named = key.get("alg")
    return isinstance(key, _ALGORITHM_TYPES[algorithm]) and named in (None, algorithm)
