"""Operations that no honest client sends: bombs of depth, aliases, fragments and directives, and text cut at random."""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from federation_fuzz.operations import Operation
from trivium_federation.engine import Engine
from trivium_federation.transport import SubgraphRequest, SubgraphResponse, TransportError

MEANT_CPU_S = 0.05


class Unreachable:
    """A transport without subgraphs: what is measured ends where their work begins."""

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """Fail at once."""
        raise TransportError(f"{request.subgraph} is away")


@dataclass(slots=True)
class Tried:
    """What one kind of hostile operation did to an engine."""

    kind: str
    count: int = 0
    dearest_s: float = 0.0
    answered: str = ""  # an operation that got an answer without errors


async def try_hostile(engine: Engine, operations: Iterable[tuple[str, Operation]]) -> list[Tried]:
    """Ask each; one that is dear is asked up to three times and the best counts, since other work disturbs."""
    tried: dict[str, Tried] = {}
    for kind, operation in operations:
        known = tried.setdefault(kind, Tried(kind))
        known.count += 1
        spent_s: list[float] = []
        while not spent_s or (min(spent_s) > MEANT_CPU_S and len(spent_s) < 3):
            started = time.process_time()
            answer = await engine.execute(operation.query, operation.variables)
            spent_s.append(time.process_time() - started)
        known.dearest_s = max(known.dearest_s, min(spent_s))
        if not answer.has_errors:
            known.answered = operation.query[:200]
    return list(tried.values())


def hostile_operations(seed: int, count: int) -> Iterator[tuple[str, Operation]]:
    """Kind and operation. They fit the `shop` supergraph, so that only the hostile part can be refused."""
    rng = random.Random(seed)
    kinds: list[Callable[[random.Random], str]] = [
        _deep,
        _aliases,
        _fragment_doubling,
        _fragment_circle,
        _wide_merge,
        _directives,
        _deep_input,
        _brackets,
        _unknown_fields,
        _cut,
        _many_variables,
        _long_string,
        _introspection_depth,
    ]
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield kind.__name__.strip("_"), Operation(kind(rng), {})


def _deep(rng: random.Random) -> str:
    depth = rng.choice((60, 500, 3000))
    return "{ me " + "{ favourites { fans " * depth + "{ id }" + " } }" * depth + " }"


def _aliases(rng: random.Random) -> str:
    count = rng.choice((1500, 4000))
    return "{ " + " ".join(f"a{i}: me {{ id }}" for i in range(count)) + " }"


def _fragment_doubling(rng: random.Random) -> str:
    """Each fragment uses the next one twice: 2^n fields when opened."""
    count = rng.choice((25, 60, 150))
    parts = [
        f"fragment F{i} on Author {{ a: favourites {{ fans {{ ...F{i + 1} }} }} b: favourites {{ fans {{ ...F{i + 1} }} }} }}"
        for i in range(count)
    ]
    return "{ me { ...F0 } } " + " ".join(parts) + f" fragment F{count} on Author {{ id }}"


def _fragment_circle(rng: random.Random) -> str:
    count = rng.choice((1, 2, 40))
    parts = [f"fragment F{i} on Author {{ id ...F{(i + 1) % count} }}" for i in range(count)]
    return "{ me { ...F0 } } " + " ".join(parts)


def _wide_merge(rng: random.Random) -> str:
    """Many selections of one response name, all to be compared with each other, one in conflict."""
    count = rng.choice((300, 1500))
    return "{ " + "me { favourites { name upc } } " * count + "me: authors(ids: []) { id } }"


def _directives(rng: random.Random) -> str:
    return "{ me { id " + "@include(if: true) " * rng.choice((600, 5000)) + "} }"


def _deep_input(rng: random.Random) -> str:
    depth = rng.choice((50, 400, 4000))
    return "{ search(filter: " + "{inner: " * depth + "{minimum: 1.0}" + "}" * depth + ") { upc } }"


def _brackets(rng: random.Random) -> str:
    return "{ authors(ids: " + "[" * rng.choice((300, 20_000)) + ") { id } }"


def _unknown_fields(rng: random.Random) -> str:
    count = rng.choice((300, 3000))
    return "{ " + " ".join(f"favourite{rng.randrange(10**6)}" for _ in range(count)) + " }"


def _cut(rng: random.Random) -> str:
    text = 'query Q($a: Int = 1) { products(first: $a) { ... on Product @skip(if: false) { name related { upc } } } } # "é"'
    at = rng.randrange(1, len(text) - 8)
    return (
        text[:at]
        + rng.choice(("", "}", "{", '"', "...", "@", "\ufeff", "\x00", '"""', "("))
        + text[at + rng.randrange(1, 6) :]
    )


def _many_variables(rng: random.Random) -> str:
    count = rng.choice((500, 4000))
    declared = ", ".join(f"$v{i}: Int" for i in range(count))
    return f"query ({declared}) {{ me {{ id }} }}"


def _long_string(rng: random.Random) -> str:
    return '{ product(upc: "' + "x" * rng.choice((10_000, 400_000)) + '" { upc } }'


def _introspection_depth(rng: random.Random) -> str:
    depth = rng.choice((20, 200))
    return "{ __schema { types { " + "fields { type { " * depth + "name" + " } }" * depth + " } } }"
