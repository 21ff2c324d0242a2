"""The home screen: complete, partial, refused, and never slow because of what it can do without."""

import asyncio
import json

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, Fault, edge_headers


async def test_home_shows_its_five_sources_and_nothing_else(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    response = await mobile.get("/home")

    assert response.status_code == 200
    assert response.headers["x-completeness"] == "complete"
    home = response.json()
    assert home["user"] == {
        "id": "u1",
        "name": "Ada Lovelace",
        "avatar_url": "https://images.example.com/u1.webp",
        "loyalty_tier": "gold",
    }
    assert sorted(home) == ["notifications", "orders", "products", "recommendations", "user"]
    assert sorted(home["orders"][0]) == ["created_at", "id", "status", "total"]
    assert sorted(home["products"][1]) == ["id", "image_url", "name", "price", "rating"]
    assert sorted(home["recommendations"][0]) == ["id", "image_url", "name", "price"]
    assert sorted(home["notifications"][0]) == ["created_at", "id", "is_read", "kind", "title"]
    assert len(upstreams.calls) == 5


async def test_home_has_at_most_a_quarter_of_the_bytes_of_its_sources(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    response = await mobile.get("/home")

    raw = [
        upstreams.answers[f"GET {path}"]
        for path in (
            "/users/users/u1",
            "/users/users/u1/notifications",
            "/orders/orders",
            "/products/products",
            "/products/recommendations",
        )
    ]
    assert len(response.content) * 4 <= len(json.dumps(raw))


async def test_home_asks_for_the_orders_of_the_caller_only(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    await mobile.get("/home", params={"user_id": "u2"}, headers={"x-user-id": "u2"})

    asked = {call.path for call in upstreams.calls_to("users")}
    assert asked == {"/users/u1", "/users/u1/notifications"}
    assert upstreams.calls_to("orders")[0].query == {"user_id": "u1", "sort": "-created_at", "limit": "5"}


@pytest.mark.parametrize("fault", [500, 503, "garbage", "truncate"])
@pytest.mark.parametrize("away", ["orders", "products"])
async def test_an_optional_source_that_fails_leaves_a_partial_answer_that_says_so(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams, away: str, fault: Fault
) -> None:
    upstreams.faults[away] = fault

    response = await mobile.get("/home")

    assert response.status_code == 200
    assert response.headers["x-completeness"] == "partial"
    assert response.headers["cache-control"] == "no-store"
    home = response.json()
    assert home["_missing"] == [away]
    assert away not in home
    assert home["user"]["id"] == "u1"


@pytest.mark.parametrize(("fault", "status"), [(500, 502), (503, 503), ("garbage", 502), (404, 404)])
async def test_without_the_required_user_there_is_no_home(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams, fault: Fault, status: int
) -> None:
    upstreams.faults["users"] = fault

    response = await mobile.get("/home")

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get("x-trivium-origin") == ("upstream" if status >= 500 else None)


async def test_a_hanging_optional_source_is_missed_in_time_then_at_once(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["orders"] = "hang"
    for _ in range(3):
        hanging = await mobile.get("/home", headers={"x-request-timeout-ms": "1000"})
        assert hanging.json()["_missing"] == ["orders"]

    home = await mobile.get("/home")

    assert home.json()["_missing"] == ["orders"]
    assert len(home.json()["products"]) == 10
    assert len(upstreams.calls_to("orders")) == 3  # the fourth screen did not ask, so it cannot have waited
    assert (await mobile.get("/readyz")).json()["checks"]["orders"] == {"breaker": "open"}


async def test_while_one_screen_waits_for_a_hanging_source_others_are_answered(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["orders"] = "hang"
    async with asyncio.TaskGroup() as group:
        home = group.create_task(mobile.get("/home"))
        await upstreams.wait_call("orders")

        product = await mobile.get("/products/p1")

        assert product.status_code == 200
        assert not home.done()
    assert home.result().json()["_missing"] == ["orders"]


async def test_a_phone_that_leaves_ends_the_calls_made_for_it(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["users"] = "hang"
    async with asyncio.TaskGroup() as group:
        home = group.create_task(mobile.get("/home"))
        await upstreams.wait_call("users")
        home.cancel()

    await upstreams.wait_abandoned("users")
    assert (await mobile.get("/readyz")).json()["checks"]["users"] == {"breaker": "closed"}


async def test_what_is_left_of_the_deadline_is_passed_on_and_shrinks(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    await mobile.get("/home", headers={"x-request-timeout-ms": "1000", "x-request-id": "r-9"})

    budgets = [int(call.headers["x-request-timeout-ms"]) for call in upstreams.calls]
    assert len(budgets) == 5
    assert all(0 < budget < 1000 for budget in budgets)
    assert {call.headers["x-request-id"] for call in upstreams.calls} == {"r-9"}


async def test_recommendations_that_are_away_are_the_last_known_ones_of_the_same_person(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    known = (await mobile.get("/home")).json()["recommendations"]
    upstreams.answers["GET /products/recommendations"] = "no page"

    again = await mobile.get("/home")
    upstreams.answers["GET /users/users/u2"] = upstreams.answers["GET /users/users/u1"]
    other = await mobile.get("/home", headers=edge_headers("mobile", "u2"))

    assert again.json()["recommendations"] == known
    assert again.json()["_fallback"] == ["recommendations"]
    assert again.headers["x-completeness"] == "complete"
    assert again.headers["cache-control"] == "no-store"
    assert other.json()["recommendations"] == []


async def test_a_hundred_screens_at_once_leave_a_service_with_an_open_breaker_alone(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    """The open breaker lets none of 100 screens at once through (the one probe comes after its wait)."""
    upstreams.faults["orders"] = 500
    for _ in range(3):
        await mobile.get("/home")

    async with asyncio.TaskGroup() as group:
        screens = [group.create_task(mobile.get("/home")) for _ in range(100)]

    assert {screen.result().headers["x-completeness"] for screen in screens} == {"partial"}
    assert len(upstreams.calls_to("orders")) == 3
