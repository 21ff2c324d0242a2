"""Limits counted in this process alone: about a microsecond a take, nothing shared with other workers."""

import math
import time
from collections.abc import Callable, Sequence

from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.store import KeyStore
from trivium_common.ratelimit.verdict import NEVER_US, State, Verdict

DEFAULT_MAX_KEYS = 100_000

_new_tuple = tuple.__new__


class LocalLimiter:
    """One rule over many keys, in bounded memory (about 0.3 kB a key for a token bucket; see KeyStore).

    Not thread-safe: it belongs to one event loop. `clock_ns` must never run backwards.
    """

    __slots__ = ("_clock_ns", "_name", "_store", "_take", "rule")

    def __init__(
        self,
        rule: Rule,
        *,
        max_keys: int = DEFAULT_MAX_KEYS,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.rule = rule
        self._name = rule.name
        # The usual rule has one window: ask it without the way over the rule.
        self._take = rule.windows[0].take if len(rule.windows) == 1 else rule.take
        self._clock_ns = clock_ns
        self._store = KeyStore(max_keys, rule.horizon_us, self._spare)

    def __len__(self) -> int:
        """Keys held in memory, dead ones included."""
        return len(self._store)

    @property
    def overflows(self) -> int:
        """How often a new key found no room and shared the overflow's allowance."""
        return self._store.overflows

    def take_nowait(self, key: str, cost: int = 1) -> Verdict:
        """Take `cost` (at least 1) for `key`, or say when to come back."""
        now_us = self._clock_ns() // 1000
        store = self._store
        state = store.young.get(key)
        if state is None:
            key, state = store.find(key, now_us)
        state, allowed, limit, remaining, retry_us, delay_us, reset_us = self._take(state, now_us, cost)
        if allowed:
            store.young[key] = state
            # Written out, because a NamedTuple's own constructor costs as much as all of the above.
            return _new_tuple(
                Verdict, (True, limit, remaining, 0.0, delay_us / 1e6, reset_us / 1e6, self._name, True)
            )
        if state is not None:
            store.young[key] = state
        return verdict_of((False, limit, remaining, retry_us, 0, reset_us), self._name)

    def peek_nowait(self, key: str, cost: int = 1) -> Verdict:
        """What `take_nowait` would answer now; nothing is taken."""
        now_us = self._clock_ns() // 1000
        return verdict_of(self._take(self._store.look(key), now_us, cost)[1:], self._name)

    def charge_nowait(self, key: str, extra: int) -> None:
        """Charge `extra` after the fact, into debt up to the bound of each window."""
        now_us = self._clock_ns() // 1000
        store = self._store
        state = store.young.get(key)
        if state is None:
            key, state = store.find(key, now_us)
        rule = self.rule
        charge = rule.windows[0].charge if len(rule.windows) == 1 else rule.charge
        store.young[key] = charge(state, now_us, extra)

    def forget(self, key: str) -> None:
        """Give `key` its whole allowance back, as an operator may ask."""
        self._store.forget(key)

    def _spare(self, state: State, now_us: int) -> float:
        _, allowed, limit, remaining, *_ = self._take(state, now_us, 1)
        return remaining / limit if allowed else -1.0


def verdict_of(figures: Sequence[int], rule: str) -> Verdict:
    """The verdict that (allowed, limit, remaining, retry_after_us, delay_us, reset_us) stand for."""
    allowed, limit, remaining, retry_us, delay_us, reset_us = figures
    retry_after_s = math.inf if retry_us == NEVER_US else retry_us / 1e6
    return Verdict(allowed == 1, limit, remaining, retry_after_s, delay_us / 1e6, reset_us / 1e6, rule)
