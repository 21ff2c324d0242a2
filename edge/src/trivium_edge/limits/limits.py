"""The limits of a route, compiled. What they have counted outlives a reload that leaves their figures alone."""

from collections.abc import Sequence

from trivium_common.ratelimit.local import LocalLimiter
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.token_bucket import TokenBucket
from trivium_common.ratelimit.verdict import Verdict
from trivium_edge.config.models import Limit as LimitSettings
from trivium_edge.limits.keys import KeyOf, by_address, by_consumer, by_header, by_route, by_subject
from trivium_edge.proxy.exchange import EdgeExchange

_KEYS: dict[str, KeyOf] = {
    "subject": by_subject,
    "consumer": by_consumer,
    "address": by_address,
    "route": by_route,
}


class Limit:
    """One limit of one route: a key of the request, and the limiter that counts for it."""

    __slots__ = ("_key_of", "limiter")

    def __init__(self, key_of: KeyOf, limiter: LocalLimiter) -> None:
        self._key_of = key_of
        self.limiter = limiter

    def take_nowait(self, exchange: EdgeExchange, cost: int = 1) -> Verdict:
        """Take `cost` from the caller's allowance, or say when to come back."""
        return self.limiter.take_nowait(self._key_of(exchange), cost)


class LimiterStore:
    """The limiters of a worker by rule. A reload that changes nothing about a rule keeps its counts."""

    def __init__(self) -> None:
        self._limiters: dict[tuple[object, ...], LocalLimiter] = {}

    def compile(self, route_id: str, limits: Sequence[LimitSettings], max_keys: int) -> tuple[Limit, ...]:
        """The limits of one route, in the order of the configuration."""
        return tuple(self._compile_one(route_id, settings, max_keys) for settings in limits)

    def keep_only(self, limits: Sequence[Limit]) -> None:
        """Forget the limiters that no route uses any more."""
        used = {id(limit.limiter) for limit in limits}
        self._limiters = {key: limiter for key, limiter in self._limiters.items() if id(limiter) in used}

    def _compile_one(self, route_id: str, settings: LimitSettings, max_keys: int) -> Limit:
        name = f"{route_id}/{settings.name or settings.limit_by}"
        key = (name, settings.rate, settings.burst, settings.limit_by, settings.header_name, max_keys)
        limiter = self._limiters.get(key)
        if limiter is None:
            rule = Rule(name, (TokenBucket(settings.rate, settings.burst),))
            limiter = self._limiters[key] = LocalLimiter(rule, max_keys=max_keys)
        key_of = by_header(settings.header_name) if settings.header_name else _KEYS[settings.limit_by]
        return Limit(key_of, limiter)
