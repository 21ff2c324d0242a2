"""What phones rely on: small answers, validators, an OpenAPI document that generators can read."""

import httpx
import pytest

from trivium_common.settings import load_settings
from trivium_mobile.settings import MobileSettings

# The most that each screen may weigh, uncompressed, with the data of conftest.py. A phone on a bad network pays
# for every byte: whoever raises a figure here has to want it.
BUDGETS = {
    "/home": 4500,
    "/products": 2000,
    "/products/p1": 1600,
    "/orders": 900,
    "/orders/o1": 1000,
    "/me": 500,
    "/basket": 200,
}


@pytest.mark.parametrize(("path", "budget_bytes"), BUDGETS.items())
async def test_each_screen_keeps_to_its_budget_and_is_304_when_unchanged(
    mobile: httpx.AsyncClient, path: str, budget_bytes: int
) -> None:
    response = await mobile.get(path)
    again = await mobile.get(path, headers={"if-none-match": response.headers["etag"]})

    assert len(response.content) <= budget_bytes
    assert again.status_code == 304
    assert again.content == b""


@pytest.mark.parametrize("path", BUDGETS)
async def test_each_screen_checks_fields(mobile: httpx.AsyncClient, path: str) -> None:
    response = await mobile.get(path, params={"fields": "__class__"})

    assert response.status_code == 400
    assert response.json()["known_fields"]


async def test_a_part_of_home_is_sent_when_asked(mobile: httpx.AsyncClient) -> None:
    response = await mobile.get("/home", params={"fields": "user.name,orders.id"})

    assert response.json()["user"] == {"name": "Ada Lovelace"}
    assert response.json()["orders"][0] == {"id": "o0"}
    assert sorted(response.json()) == ["orders", "user"]


async def test_the_openapi_document_is_fit_for_generators(mobile: httpx.AsyncClient) -> None:
    document = (await mobile.get("/openapi.json")).json()

    names = {
        (method, path): operation["operationId"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert names == {
        ("get", "/home"): "getHome",
        ("get", "/products"): "listProducts",
        ("get", "/products/{product_id}"): "getProduct",
        ("get", "/orders"): "listOrders",
        ("post", "/orders"): "placeOrder",
        ("get", "/orders/{order_id}"): "getOrder",
        ("get", "/me"): "getMe",
        ("patch", "/me"): "changeMe",
        ("get", "/basket"): "getBasket",
        ("put", "/basket"): "putBasket",
    }
    assert "null" not in str(document)
    schemas = document["components"]["schemas"]
    moments = {
        name: member["format"]
        for schema in schemas.values()
        for name, member in schema["properties"].items()
        if name.endswith("_at")
    }
    assert moments == {
        "created_at": "date-time",
        "updated_at": "date-time",
        "estimated_delivery_at": "date-time",
    }
    assert "enum" not in str(schemas["OrderCard"])  # open: old phones meet new kinds of status


def test_production_needs_a_cursor_key_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIVIUM_ENV", "production")
    with pytest.raises(SystemExit) as left:
        load_settings(MobileSettings)

    assert left.value.code == 2
    assert "TRIVIUM_CURSOR_KEY" in capsys.readouterr().err
