"""The product screen."""

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, edge_headers


async def test_a_product_is_shown_with_what_its_screen_needs(mobile: httpx.AsyncClient) -> None:
    response = await mobile.get("/products/p1")

    assert response.json()["name"] == "Lamp 1"
    assert response.json()["price"] == {"amount": 100, "currency": "EUR"}
    assert "attributes" not in response.json()
    assert response.json()["reviews"]["average"] == 4.5
    assert response.json()["reviews"]["newest"][0]["created_at"] == "2026-10-01T10:00:00Z"
    assert response.json()["stock"] == {"quantity": 0, "delivery_days": 2}
    assert response.json()["in_stock"] is False  # what the warehouse says, not the catalogue
    assert response.headers["cache-control"] == "private, max-age=60"


async def test_an_unknown_product_is_404_and_a_failing_service_is_no_fault_of_this_node(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    unknown = await mobile.get("/products/p9999")
    upstreams.faults["products"] = 503
    away = await mobile.get("/products/p1")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (away.status_code, away.json()["code"]) == (503, "upstream_unavailable")
    assert away.headers["x-trivium-origin"] == "upstream"
    assert int(away.headers["retry-after"]) >= 1


async def test_a_product_id_cannot_reach_another_path(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    await mobile.get("/products/p1%3Fadmin=1")

    asked = upstreams.calls_to("products")[0]
    assert asked.path == "/products/p1?admin=1"
    assert asked.query == {}


async def test_an_identity_for_another_bff_is_refused(mobile: httpx.AsyncClient) -> None:
    foreign = await mobile.get("/products/p1", headers=edge_headers("web", "u1"))
    expired = await mobile.get("/home", headers=edge_headers("mobile", "u1", lifetime_s=-60))

    assert (foreign.status_code, expired.status_code) == (401, 401)
    assert foreign.json()["code"] == "edge_identity_required"


@pytest.mark.parametrize("service", ["reviews", "inventory"])
@pytest.mark.parametrize("fault", [503, "graphql"])
async def test_a_product_is_shown_without_reviews_or_stock(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams, service: str, fault: int | str
) -> None:
    if fault == "graphql":
        upstreams.answers[f"POST /{service}/graphql"] = {"data": None, "errors": [{"message": "secret"}]}
    else:
        upstreams.faults[service] = 503

    response = await mobile.get("/products/p1")

    assert response.status_code == 200
    assert response.json()["_missing"] == [{"reviews": "reviews", "inventory": "stock"}[service]]
    assert response.headers["cache-control"] == "no-store"
    assert "secret" not in response.text


async def test_products_are_searched_filtered_and_paged_with_signed_cursors(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.answers["GET /products/products"] = {
        "items": [upstreams.answers["GET /products/products/p1"]],
        "next_cursor": "inner",
    }
    filters = {
        "q": "lamp",
        "category": "c1",
        "min_price": 1,
        "max_price": 9,
        "in_stock": True,
        "sort": "-price",
    }

    first = await mobile.get("/products", params={**filters, "limit": 1})
    cursor = first.json()["next_cursor"]
    second = await mobile.get("/products", params={**filters, "limit": 1, "cursor": cursor})

    assert (first.status_code, second.status_code) == (200, 200)
    asked = upstreams.calls_to("products")
    expected = {"q": "lamp", "category": "c1", "min_price": "1", "max_price": "9", "in_stock": "true"}
    assert asked[0].query == {**expected, "sort": "-price", "limit": "1"}
    assert asked[1].query == {**expected, "sort": "-price", "limit": "1", "cursor": "inner"}
    for params in (
        {"cursor": cursor},
        {**filters, "cursor": "inner"},
        {**filters, "cursor": cursor[:-2] + "AA"},
    ):
        refused = await mobile.get("/products", params=params)
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 51},
        {"limit": "x"},
        {"sort": "sku"},
        {"min_price": -1},
        {"min_price": 2, "max_price": 1},
        {"q": ""},
    ],
)
async def test_wrong_filters_are_refused_before_any_call(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams, params: dict[str, str | int]
) -> None:
    response = await mobile.get("/products", params=params)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert upstreams.calls == []
