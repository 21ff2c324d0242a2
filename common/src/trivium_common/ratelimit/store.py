"""The states of many keys in bounded memory: idle keys leave by themselves, busy ones are never thrown out.

Two generations of plain dicts. A key that is used moves to the young one; every `horizon_us` the
generations move on, and what was not used for that long is worth as much as nothing. So no key needs a
timer and nothing is ever scanned: each new key pays for dropping a few dead ones.
"""

from collections.abc import Callable

from trivium_common.ratelimit.keys import bounded_key
from trivium_common.ratelimit.verdict import State

# Keys without room of their own share this one; no caller's key can be equal to it.
OVERFLOW_KEY = "\x00overflow"

_DEAD_PER_MISS = 4
_SAMPLES = 5
_MIN_ROTATION_US = 1_000_000

# How much of a key's allowance is left, 0.0 to 1.0; below 0 when its next request would be refused.
Spare = Callable[[State, int], float]


class KeyStore:
    """At most `max_keys` states.

    When it is full, a new key replaces the least used of five old ones (so a flood of keys pushes out
    itself, not the key that is at its limit). When all five are at their limit none is let go: the new key
    shares the overflow key's allowance, since forgetting an exhausted key would hand out its limit again.
    """

    __slots__ = ("_dead", "_horizon_us", "_max_keys", "_old", "_rotate_at_us", "_spare", "overflows", "young")

    def __init__(self, max_keys: int, horizon_us: int, spare: Spare) -> None:
        if max_keys < 2:
            raise ValueError("max_keys must be at least 2")
        self._max_keys = max_keys
        self._horizon_us = max(horizon_us, _MIN_ROTATION_US)
        self._spare = spare
        self._rotate_at_us: int | None = None
        self.young: dict[str, State] = {}
        self._old: dict[str, State] = {}
        self._dead: dict[str, State] = {}
        self.overflows = 0

    def __len__(self) -> int:
        return len(self.young) + len(self._old) + len(self._dead)

    def find(self, key: str, now_us: int) -> tuple[str, State]:
        """State of a key that is not young, and the key to keep it under (its own or the overflow's)."""
        self._move_on(now_us)
        key = bounded_key(key)
        state = self.young.get(key) or self._old.pop(key, None)
        if state is not None:
            return key, state
        if len(self) >= self._max_keys and not self._make_room(now_us):
            self.overflows += 1
            return OVERFLOW_KEY, self.young.get(OVERFLOW_KEY) or self._old.pop(OVERFLOW_KEY, None)
        return key, None

    def look(self, key: str) -> State:
        """State of `key` without counting as use."""
        key = bounded_key(key)
        return self.young.get(key) or self._old.get(key)

    def forget(self, key: str) -> None:
        """Drop the state of `key`."""
        key = bounded_key(key)
        self.young.pop(key, None)
        self._old.pop(key, None)

    def _move_on(self, now_us: int) -> None:
        dead = self._dead
        for _ in range(min(_DEAD_PER_MISS, len(dead))):
            dead.popitem()
        if self._rotate_at_us is None:
            self._rotate_at_us = now_us + self._horizon_us
        elif now_us >= self._rotate_at_us and not dead:
            self._dead, self._old, self.young = self._old, self.young, {}
            self._rotate_at_us = now_us + self._horizon_us

    def _make_room(self, now_us: int) -> bool:
        if self._dead:
            self._dead.popitem()
            return True
        if len(self._old) < _SAMPLES:
            self.young.update(self._old)
            self._old, self.young = self.young, {}
        samples = [self._old.popitem() for _ in range(min(_SAMPLES, len(self._old)))]
        spares = [self._spare(state, now_us) for _, state in samples]
        most = max(spares)
        victim = spares.index(most) if most >= 0 else -1
        self.young.update(sample for at, sample in enumerate(samples) if at != victim)
        return victim >= 0
