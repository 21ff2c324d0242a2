"""The home screen: complete, partial, refused, and never slow because of what it can do without."""

import json
import time

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, Fault


async def test_home_shows_user_orders_and_products_and_nothing_else(
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
    assert sorted(home) == ["orders", "products", "user"]
    assert sorted(home["orders"][0]) == ["created_at", "id", "status", "total"]
    assert sorted(home["products"][0]) == ["id", "image_url", "name", "price", "rating"]
    assert len(upstreams.calls) == 3


async def test_home_has_at_most_a_quarter_of_the_bytes_of_its_sources(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    response = await mobile.get("/home")

    raw = [answer for pattern, answer in upstreams.answers.items() if not pattern.endswith("p1")]
    assert len(response.content) * 4 <= len(json.dumps(raw))


async def test_home_asks_for_the_orders_of_the_caller_only(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    await mobile.get("/home", params={"user_id": "u2"}, headers={"x-user-id": "u2"})

    assert [call.path for call in upstreams.calls_to("users")] == ["/users/u1"]
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


async def test_a_hanging_optional_source_is_missed_in_time_then_at_once_and_others_stay_fast(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["orders"] = "hang"
    budget = {"x-request-timeout-ms": "500"}
    for _ in range(3):
        hanging = await mobile.get("/home", headers=budget)
        assert hanging.json()["_missing"] == ["orders"]

    # The breaker is open: the next answers do not wait, though they may.
    started = time.monotonic()
    home = await mobile.get("/home")
    product = await mobile.get("/products/p1")
    took_s = time.monotonic() - started

    assert home.json()["_missing"] == ["orders"]
    assert len(home.json()["products"]) == 10
    assert product.status_code == 200
    assert took_s < 1.0  # one wait for the orders would take 1.5 s
    assert len(upstreams.calls_to("orders")) == 3
    assert (await mobile.get("/readyz")).json()["checks"]["orders"] == {"breaker": "open"}


async def test_what_is_left_of_the_deadline_is_passed_on_and_shrinks(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    await mobile.get("/home", headers={"x-request-timeout-ms": "1000", "x-request-id": "r-9"})

    budgets = [int(call.headers["x-request-timeout-ms"]) for call in upstreams.calls]
    assert len(budgets) == 3
    assert all(0 < budget < 1000 for budget in budgets)
    assert {call.headers["x-request-id"] for call in upstreams.calls} == {"r-9"}
