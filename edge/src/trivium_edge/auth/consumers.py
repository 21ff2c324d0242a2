"""The configured apps and devices, found by client id or by API key."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trivium_edge.config.models import Consumer
from trivium_edge.proxy.contracts import Identity

MIN_KEY_BYTES = 16
MAX_KEY_BYTES = 256


@dataclass(frozen=True, slots=True)
class ConsumerApp:
    """A consumer as requests see it."""

    name: str
    kind: str
    groups: frozenset[str]


class ApiKeys:
    """API keys by their hash. What is compared is a digest, and in constant time."""

    def __init__(self, identities: Mapping[bytes, Identity]) -> None:
        self._identities = identities

    def find(self, key: bytes) -> Identity | None:
        """The identity of an API key, None when it is unknown."""
        if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
            return None
        digest = hashlib.sha256(key).digest()
        # Which bucket of the dict is looked at depends on a digest that nobody can steer towards a stored one.
        identity = self._identities.get(digest)
        if identity is None or not hmac.compare_digest(digest, identity.credential):
            return None
        return identity


def compile_apps(consumers: Iterable[Consumer]) -> dict[str, ConsumerApp]:
    """The consumers by OAuth client id."""
    return {client_id: to_app(consumer) for consumer in consumers for client_id in consumer.client_ids}


def compile_api_keys(consumers: Iterable[Consumer]) -> ApiKeys:
    """The API keys of all consumers."""
    identities: dict[bytes, Identity] = {}
    for consumer in consumers:
        for key in consumer.api_keys:
            digest = bytes.fromhex(key.hash.removeprefix("sha256:"))
            identities[digest] = Identity(
                subject=key.subject or consumer.name,
                consumer=consumer.name,
                kind=consumer.kind,
                credential=digest,
            )
    return ApiKeys(identities)


def to_app(consumer: Consumer) -> ConsumerApp:
    """A configured consumer as requests see it."""
    return ConsumerApp(consumer.name, consumer.kind, frozenset(consumer.groups))
