"""The plan cache never exceeds its bounds."""

from trivium_federation.cache import PlanCache


def test_the_entry_unused_for_longest_goes_first():
    """Reading counts as use."""
    cache: PlanCache[str] = PlanCache(max_entries=2, max_bytes=100)
    cache.put("a", "A", 1)
    cache.put("b", "B", 1)
    cache.get("a")
    cache.put("c", "C", 1)

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ("A", None, "C")


def test_bytes_are_bounded_too_also_when_an_entry_grows():
    """An entry over the bound by itself is not kept."""
    cache: PlanCache[str] = PlanCache(max_entries=9, max_bytes=100)
    cache.put("a", "A", 60)
    cache.put("b", "B", 30)
    cache.resize("b", 50)
    cache.put("huge", "!", 101)

    assert [*cache.newest()] == ["b"]
    assert cache.bytes == 50
