"""Choices that come out the same on every machine and Python version."""

import random
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A named stream of choices. Draws `random()` only: the one method whose sequence Python promises to keep."""

    def __init__(self, name: str) -> None:
        self._random = random.Random(zlib.crc32(name.encode())).random

    def below(self, bound: int) -> int:
        """An integer from 0 to `bound` - 1."""
        return int(self._random() * bound)

    def between(self, low: int, high: int) -> int:
        """An integer from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def skewed(self, bound: int) -> int:
        """An integer from 0 to `bound` - 1, small ones more often: as with popular products and busy buyers."""
        return int(self._random() * self._random() * bound)

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`."""
        return choices[int(self._random() * len(choices))]

    def happens(self, probability: float) -> bool:
        """Whether something of this probability takes place."""
        return self._random() < probability
