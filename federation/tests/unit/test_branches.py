"""Coroutines side by side without Tasks."""

import asyncio

import pytest

from trivium_federation.execute.branches import Branches


async def test_branches_run_side_by_side_and_may_start_others():
    """All are waited for, also those that begin later."""
    loop = asyncio.get_running_loop()
    gates = [loop.create_future() for _ in range(3)]
    done: list[int] = []
    branches = Branches()

    async def branch(number: int) -> None:
        await gates[number]
        done.append(number)
        if number == 0:
            branches.start(branch(2))

    branches.start(branch(0))
    branches.start(branch(1))
    for gate in (gates[1], gates[0], gates[2]):
        loop.call_soon(gate.set_result, None)
    await branches.wait_done()

    assert sorted(done) == [0, 1, 2]


async def test_an_error_or_a_cancellation_ends_all_branches():
    """Each branch cleans up where it waits."""
    loop = asyncio.get_running_loop()
    cleaned: list[str] = []

    async def waiting() -> None:
        try:
            await loop.create_future()
        except asyncio.CancelledError:
            cleaned.append("waiting")
            raise

    async def failing(gate: asyncio.Future[None]) -> None:
        await gate
        raise ValueError("broken")

    gate: asyncio.Future[None] = loop.create_future()
    branches = Branches()
    branches.start(waiting())
    branches.start(failing(gate))
    gate.set_result(None)

    with pytest.raises(ValueError, match="broken"):
        await branches.wait_done()
    assert cleaned == ["waiting"]
