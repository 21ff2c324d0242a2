"""The product screen."""

import httpx

from trivium_common.app.testing import FakeUpstreams, edge_headers


async def test_a_product_is_shown_with_what_its_screen_needs(mobile: httpx.AsyncClient) -> None:
    response = await mobile.get("/products/p1")

    assert response.json()["name"] == "Lamp 1"
    assert response.json()["price"] == {"amount": 100, "currency": "EUR"}
    assert "attributes" not in response.json()
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

    assert upstreams.calls[0].path == "/products/p1?admin=1"
    assert upstreams.calls[0].query == {}


async def test_an_identity_for_another_bff_is_refused(mobile: httpx.AsyncClient) -> None:
    foreign = await mobile.get("/products/p1", headers=edge_headers("web", "u1"))
    expired = await mobile.get("/home", headers=edge_headers("mobile", "u1", lifetime_s=-60))

    assert (foreign.status_code, expired.status_code) == (401, 401)
    assert foreign.json()["code"] == "edge_identity_required"


async def test_the_openapi_document_describes_each_screen(mobile: httpx.AsyncClient) -> None:
    document = (await mobile.get("/openapi.json")).json()

    assert sorted(document["paths"]) == ["/home", "/products/{product_id}"]
    home = document["components"]["schemas"]["Home"]
    assert home["required"] == ["user"]
    assert home["properties"]["orders"]["type"] == "array"
