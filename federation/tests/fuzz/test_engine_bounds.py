"""What an engine must bear for days: more distinct operations than its cache holds, and operations meant to hurt."""

import gc
import random
from pathlib import Path

import pytest
from federation_fuzz.hostile import MEANT_CPU_S, Unreachable, hostile_operations, try_hostile
from federation_fuzz.operations import random_operation
from federation_fuzz.schemas import build_client_schema
from federation_fuzz.sources import written_sources
from federation_fuzz.supergraph import read_supergraph

from trivium_federation.engine import Engine
from trivium_federation.options import EngineOptions

_SDL = next(source.sdl for source in written_sources() if source.name == "shop")


@pytest.mark.parametrize("count", [260, pytest.param(10_000, marks=pytest.mark.conformance)])
async def test_every_hostile_operation_is_refused_cheaply(count: int) -> None:
    """Each gets an error, none an exception, none more than ten times the 50 ms of CPU that are meant.

    The exact figure per kind: `python -m federation_fuzz --hostile 10000`.
    """
    engine = Engine.from_sdl(_SDL, Unreachable(), options=EngineOptions())
    for hostile in await try_hostile(engine, hostile_operations(1, count)):
        assert not hostile.answered, hostile
        assert hostile.dearest_s < 10 * MEANT_CPU_S, hostile


@pytest.mark.conformance
async def test_fifty_thousand_distinct_operations_leave_memory_flat() -> None:
    """With 1,000 plans kept, memory after 50,000 operations is what it was after 10,000, within a tenth."""
    engine = Engine.from_sdl(_SDL, Unreachable(), options=EngineOptions(plan_cache_entries=1_000))
    schema = build_client_schema(read_supergraph(_SDL))
    rng = random.Random(1)
    shapes = [operation for _ in range(400) if (operation := random_operation(schema, rng))]
    after: dict[int, float] = {}
    for number in range(50_001):
        shape = shapes[number % len(shapes)]
        await engine.execute(f"{shape.query}\n# {number}", shape.variables, shape.operation_name)
        if number in (10_000, 50_000):
            gc.collect()
            after[number] = _resident_mib()
    assert after[50_000] <= after[10_000] * 1.1, after


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20
