"""Fallback sources: an older value rather than none, never another person's."""

from trivium_common.app.last_good import LastGood
from trivium_common.app.sources import Sources
from trivium_common.errors import NotFound, UpstreamTimeout


async def give(value: str) -> str:
    return value


async def fail(error: Exception) -> str:
    raise error


async def ask(kept: LastGood[str], key: str, value: str | None) -> tuple[str, list[str]]:
    async with Sources() as sources:
        call = fail(UpstreamTimeout("late")) if value is None else give(value)
        source = sources.fallback("picks", call, kept=kept, key=key, static="static")
    assert sources.missing == []
    return source.value, sources.substituted


async def test_a_failed_source_falls_back_to_its_last_good_value_then_to_the_static_one() -> None:
    now = [0.0]
    kept: LastGood[str] = LastGood(max_age_s=60.0, clock=lambda: now[0])

    assert await ask(kept, "u1", None) == ("static", ["picks"])
    assert await ask(kept, "u1", "new") == ("new", [])
    assert await ask(kept, "u1", None) == ("new", ["picks"])
    assert await ask(kept, "u2", None) == ("static", ["picks"])
    now[0] = 61.0
    assert await ask(kept, "u1", None) == ("static", ["picks"])


async def test_not_found_is_a_true_answer_and_no_reason_to_show_an_old_value() -> None:
    kept: LastGood[str] = LastGood()
    kept.put("u1", "old")
    async with Sources() as sources:
        source = sources.fallback("picks", fail(NotFound()), kept=kept, key="u1", static="static")

    assert (source.value, sources.substituted) == ("static", [])


def test_the_number_of_kept_values_is_bounded() -> None:
    kept: LastGood[int] = LastGood(max_entries=2)
    for number, key in enumerate(["a", "b", "a", "c"]):
        kept.put(key, number)

    assert [kept.find(key, -1) for key in "abc"] == [2, -1, 3]
