"""Many operations over many supergraphs, in an order that the seed alone decides."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from federation_fuzz.compare import Bench, Difference, Setting, open_bench
from federation_fuzz.operations import Operation, random_invalid_operation, random_operation
from federation_fuzz.shrink import shrink

_FAILURES_PER_BENCH = 3
_INVALID_EVERY = 8  # one operation in so many is one to be refused


@dataclass(frozen=True, slots=True)
class Source:
    """A supergraph to fuzz over."""

    name: str
    sdl: str


@dataclass(slots=True)
class Tally:
    """What a campaign has done so far."""

    operations: int = 0
    supergraphs: int = 0
    unusable: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)

    def to_text(self) -> str:
        """One line for people."""
        wrong = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
        return f"{self.operations} operations over {self.supergraphs} supergraphs: {wrong or 'no difference'}"


def run_campaign(
    sources: Iterable[Source], seed: int, per_supergraph: int, tally: Tally, *, stop_at: float = float("inf")
) -> Iterator[tuple[Bench, Difference]]:
    """Yield every difference, shrunk. Nulls and errors are in the data by turns, so that each kind is found alone too.

    stop_at: monotonic seconds after which no further operation starts.
    """
    for number, source in enumerate(sources):
        turn = (seed + number) % 4
        setting = Setting(seed, with_nulls=turn > 0, with_errors=turn > 1, with_labels=turn % 2 == 1)
        bench = open_bench(source.name, source.sdl, setting)
        if bench is None:
            tally.unusable.append(source.name)
            continue
        tally.supergraphs += 1
        found = 0
        for index in range(per_supergraph):
            if time.monotonic() > stop_at:
                return
            rng = random.Random(f"{seed}/{source.name}/{index}")
            difference = _check_one(
                bench, rng, tally, is_invalid=index % _INVALID_EVERY == _INVALID_EVERY - 1
            )
            if difference:
                tally.kinds[difference.kind] += 1
                found += 1
                yield bench, difference
                if found == _FAILURES_PER_BENCH:
                    break


def _check_one(bench: Bench, rng: random.Random, tally: Tally, *, is_invalid: bool) -> Difference | None:
    operation = (random_invalid_operation if is_invalid else random_operation)(bench.schema, rng)
    if operation is None:
        return None
    tally.operations += 1
    if is_invalid:
        return bench.check_refused(operation)
    difference = bench.check(operation)
    return shrink_difference(bench, difference) if difference else None


def shrink_difference(bench: Bench, difference: Difference) -> Difference:
    """The same kind of difference from as small an operation as could be found."""

    def still_fails(operation: Operation) -> bool:
        try:
            found = bench.check(operation)
        except Exception:  # noqa: BLE001 - an edit can make an operation that is not valid: no candidate
            return False
        return found is not None and found.kind == difference.kind

    small = shrink(difference.operation, still_fails)
    return bench.check(small) or difference
