"""A small stack of real processes; what tests share lies in `fakes` and is importable."""

import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trivium_cli.stack.guardian import Guardian

sys.path.append(str(Path(__file__).parent / "fakes"))

from small_stack import SmallStack


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    one = Guardian()
    yield one
    one.close()


@pytest.fixture
async def small_stack(guardian: Guardian) -> AsyncIterator[SmallStack]:
    with ThreadPoolExecutor(4) as threads:
        stack = SmallStack(guardian, threads)
        yield stack
        if not stack.task.done():
            await stack.stop()
