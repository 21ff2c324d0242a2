"""Parallel sources: required ones decide, optional ones are missed, bugs are never hidden."""

import asyncio

import pytest

from trivium_common.app.sources import Sources
from trivium_common.errors import NotFound, UpstreamTimeout, UpstreamUnavailable


async def give(value: str) -> str:
    return value


async def fail(error: Exception) -> str:
    raise error


async def test_sources_run_at_the_same_time_and_hand_out_their_values() -> None:
    both = asyncio.Barrier(2)

    async def meet(value: str) -> str:
        await both.wait()
        return value

    async with Sources() as sources:
        user = sources.required("user", meet("ada"))
        orders = sources.optional("orders", meet("o1"))

    assert (user.value, orders.value, sources.missing) == ("ada", "o1", [])


async def test_a_failed_optional_source_is_named_and_the_others_are_kept() -> None:
    async with Sources() as sources:
        user = sources.required("user", give("ada"))
        orders = sources.optional("orders", fail(UpstreamTimeout("late")))
        products = sources.optional("products", fail(UpstreamUnavailable("away")))

    assert user.value == "ada"
    assert orders.value is None
    assert products.value is None
    assert sources.missing == ["orders", "products"]


async def test_not_found_is_a_true_answer_of_an_optional_source() -> None:
    async with Sources() as sources:
        reading = sources.optional("reading", fail(NotFound()))

    assert (reading.value, sources.missing) == (None, [])


async def test_a_failed_required_source_ends_the_block_and_cancels_the_others() -> None:
    was_cancelled = asyncio.Event()

    async def wait() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            was_cancelled.set()
            raise
        raise AssertionError

    async def answer() -> None:
        async with Sources() as sources:
            sources.optional("orders", wait())
            sources.required("user", fail(UpstreamUnavailable("away")))

    with pytest.raises(UpstreamUnavailable, match="away"):
        await answer()

    assert was_cancelled.is_set()


async def test_a_bug_in_an_optional_source_is_not_hidden() -> None:
    async def answer() -> None:
        async with Sources() as sources:
            sources.optional("orders", fail(ZeroDivisionError()))

    with pytest.raises(ZeroDivisionError):
        await answer()
