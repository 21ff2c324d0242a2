"""Each REST service over a real socket: filters, orders, cursors, batches, writes, refusals."""

import base64
from typing import Any

import pytest


def _walk(upstream: Any, path: str, **parameters: Any) -> list[Any]:
    """All items of all pages."""
    items: list[Any] = []
    cursor = None
    while True:
        page = upstream.get(path, **parameters, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def test_well_known_users_exist(users: Any) -> None:
    found = users.get("/users", ids="u3,u1,u2")["items"]
    assert [(user["id"], user["username"]) for user in found] == [
        ("u3", "linus"),
        ("u1", "ada"),
        ("u2", "grace"),
    ]


def test_batch_keeps_order_and_leaves_out_unknown_ids(users: Any) -> None:
    page = users.get("/users", ids="u7,nonsense,u99999999,u5,u7,p1")
    assert [user["id"] for user in page["items"]] == ["u7", "u5"]
    assert (page["next_cursor"], page["total"]) == (None, 2)


def test_batch_above_200_ids_is_refused(users: Any) -> None:
    response = users.client.get("/users", params={"ids": ",".join(f"u{n}" for n in range(1, 202))})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


def test_search_takes_wildcards_literally(users: Any) -> None:
    assert users.get("/users", q="%")["total"] == 0
    assert {user["username"] for user in users.get("/users", q="Lovelace")["items"]} == {"ada"}


def test_changed_user_persists_and_keeps_the_rest(users: Any) -> None:
    before = users.get("/users/u20")
    response = users.client.patch("/users/u20", json={"name": "Rosa Roux", "address": {"city": "Nantes"}})
    assert response.status_code == 200
    after = users.get("/users/u20")
    assert after["name"] == "Rosa Roux"
    assert after["address"] == {**before["address"], "city": "Nantes"}
    assert after["preferences"] == before["preferences"]
    assert [user["id"] for user in users.get("/users", q="Rosa Roux")["items"]] == ["u20"]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"nmae": "x"}, 422), ({"name": None}, 422), ({"id": "u1"}, 422), ({"email": "ada@example.com"}, 409)],
)
def test_wrong_change_is_refused(users: Any, change: dict[str, Any], status: int) -> None:
    response = users.client.patch("/users/u21", json=change)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def test_notifications_come_newest_first(users: Any) -> None:
    times = [note["created_at"] for note in _walk(users, "/users/u1/notifications", limit=2)]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)


def test_problem_carries_the_request_id(users: Any) -> None:
    response = users.client.get("/users/u0", headers={"X-Request-ID": "abc-1"})
    assert response.headers["x-request-id"] == "abc-1"
    assert response.json() == {
        "type": "https://trivium.dev/errors/not_found",
        "title": "Not found",
        "status": 404,
        "code": "not_found",
        "instance": "abc-1",
        "detail": "there is no 'u0'",
    }


@pytest.mark.parametrize("sort", ["price", "-price", "name", "-name", "created_at", "-created_at", "-rating"])
def test_pages_are_the_whole_collection_in_order(products: Any, sort: str) -> None:
    """Walking by cursor finds each product once, in the order asked for, equals included."""
    found = _walk(products, "/products", category="c1", sort=sort, limit=100)
    field = sort.lstrip("-")
    keys = [product["price"]["amount"] if field == "price" else product[field] for product in found]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert len({product["id"] for product in found}) == len(found)
    expected = products.get("/categories/c1")["product_count"]
    assert len(found) == expected or (sort == "-rating" and 0 < len(found) < expected)


def test_filters_narrow_together(products: Any) -> None:
    found = _walk(
        products, "/products", category="c1", q="mug", min_price=1000, max_price=3000, in_stock="true"
    )
    assert found
    for product in found:
        assert "mug" in product["name"].lower()
        assert 1000 <= product["price"]["amount"] <= 3000
        assert product["in_stock"]
        assert product["category_path"][0] == "Kitchen"
    assert products.get("/products", category="c99999")["total"] == 0


def test_category_tree_adds_up(products: Any) -> None:
    """What lies in a category is what lies in its children."""
    categories = products.get("/categories")["items"]
    roots = [category for category in categories if category["parent_id"] is None]
    assert sum(root["product_count"] for root in roots) == 5000 == products.get("/products")["total"]
    assert products.get("/categories", ids=f"{roots[1]['id']},c1")["items"] == [roots[1], roots[0]]
    children = products.get("/categories", parent_id=roots[0]["id"])["items"]
    assert sum(child["product_count"] for child in children) == roots[0]["product_count"]


def test_recommendations_are_the_same_each_time(products: Any) -> None:
    first, second = (products.get("/recommendations", user_id="u1", limit=8) for _ in range(2))
    assert len(first["items"]) == 8
    assert first == second != products.get("/recommendations", user_id="u2", limit=8)


def test_forged_cursor_is_refused(products: Any) -> None:
    """An edited cursor, a cursor of another query, and noise: all 400."""
    cursor = products.get("/products", sort="price", limit=1)["next_cursor"]
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=="))
    raw[-2] ^= 1
    edited = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    for forged, sort in (
        (edited, "price"),
        (cursor, "name"),
        ("noise", "price"),
        ("", "price"),
        ("ü", "price"),
    ):
        response = products.client.get("/products", params={"sort": sort, "limit": 1, "cursor": forged})
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor"), forged
    assert products.client.get("/products", params={"sort": "price", "cursor": cursor}).status_code == 200


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=x", "sort=colour", "min_price=-1", "in_stock=perhaps"]
)
def test_wrong_parameter_is_named(products: Any, query: str) -> None:
    response = products.client.get(f"/products?{query}")
    assert response.status_code == 422
    assert query.partition("=")[0] in response.json()["detail"]


def test_orders_by_user_status_and_age(orders: Any) -> None:
    found = _walk(orders, "/orders", user_id="u2", status="delivered", limit=100)
    assert len(found) > 100
    assert {(order["user_id"], order["status"]) for order in found} == {("u2", "delivered")}
    times = [order["created_at"] for order in found]
    assert times == sorted(times, reverse=True)


def test_user_ids_give_each_user_the_same_share(orders: Any) -> None:
    items = orders.get("/orders", user_ids="u2,u1,u999999", limit=3)["items"]
    assert [order["user_id"] for order in items] == ["u2"] * 3 + ["u1"] * 3
    assert items[:3] == orders.get("/orders", user_id="u2", limit=3)["items"]


def test_order_totals_add_up(orders: Any) -> None:
    for order in orders.get("/orders", limit=100, status="delivered")["items"]:
        lines = sum(line["quantity"] * line["unit_price"]["amount"] for line in order["lines"])
        assert order["total"]["amount"] == lines + order["shipping"]["cost"]["amount"]


def test_placed_order_persists_at_the_catalogues_prices(orders: Any, products: Any) -> None:
    price = products.get("/products/p7")["price"]["amount"]
    body = {"user_id": "u30", "lines": [{"product_id": "p7", "quantity": 3}], "shipping_method": "pickup"}
    response = orders.client.post("/orders", json=body)
    assert response.status_code == 201
    placed = response.json()
    assert placed["total"] == {"amount": 3 * price, "currency": "EUR"}
    assert orders.get(response.headers["location"]) == placed
    assert orders.get("/orders", user_id="u30", limit=1)["items"] == [placed]


def test_idempotency_key_places_one_order(orders: Any) -> None:
    body = {"user_id": "u31", "lines": [{"product_id": "p8", "quantity": 1}]}
    headers = {"Idempotency-Key": "k1"}
    first, again = (orders.client.post("/orders", json=body, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    other = orders.client.post("/orders", json={**body, "shipping_method": "express"}, headers=headers)
    assert other.status_code == 422
    someone_else = orders.client.post("/orders", json={**body, "user_id": "u32"}, headers=headers)
    assert someone_else.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    "body",
    [
        {"user_id": "u1", "lines": []},
        {"user_id": "u1", "lines": [{"product_id": "p999999", "quantity": 1}]},
        {"user_id": "u999999", "lines": [{"product_id": "p1", "quantity": 1}]},
        {"user_id": "u1", "lines": [{"product_id": "p1", "quantity": 0}]},
    ],
)
def test_impossible_order_is_refused(orders: Any, body: dict[str, Any]) -> None:
    before = orders.get("/orders", user_id="u1", limit=1)["total"]
    assert orders.client.post("/orders", json=body).status_code == 422
    assert orders.get("/orders", user_id="u1", limit=1)["total"] == before


def test_basket_is_replaced(orders: Any) -> None:
    assert orders.get("/baskets/u1")["lines"]
    lines = [{"product_id": "p9", "quantity": 2}]
    assert orders.client.put("/baskets/u33", json={"lines": lines}).status_code == 200
    basket = orders.get("/baskets/u33")
    assert [(line["product_id"], line["quantity"]) for line in basket["lines"]] == [("p9", 2)]
    assert basket["total"]["amount"] == 2 * basket["lines"][0]["unit_price"]["amount"]
    assert orders.client.put("/baskets/u33", json={"lines": []}).json()["total"]["amount"] == 0


def test_basket_of_an_unknown_user_does_not_exist(orders: Any) -> None:
    assert orders.client.get("/baskets/u999999").status_code == 404


def test_devices_of_an_owner(devices: Any) -> None:
    assert [device["id"] for device in devices.get("/devices", owner_id="u1")["items"]] == [
        "d1",
        "d2",
        "d3",
        "d4",
    ]
    assert devices.get("/devices")["total"] == 500


def test_each_side_of_a_twin_gets_a_version_of_its_own(devices: Any) -> None:
    before = devices.get("/devices/d5/twin")
    changes = {"desired": {"locked": False}, "reported": {"battery_percent": None, "locked": True}}
    twin = devices.client.patch("/devices/d5/twin", json=changes).json()
    assert twin["desired_version"] == before["version"] + 1
    assert twin["reported_version"] == twin["version"] == before["version"] + 2
    assert twin["reported"] == {"locked": True}
    device = devices.get("/devices/d5")
    assert device["state"] == twin["reported"]
    assert devices.get("/devices/d5/twin") == twin


def test_what_json_cannot_hold_is_not_stored(devices: Any) -> None:
    headers = {"Content-Type": "application/json"}
    response = devices.client.patch("/devices/d7", content=b'{"state": {"x": NaN, "y": 1}}', headers=headers)
    assert response.status_code == 200
    state = devices.get("/devices/d7")["state"]
    assert (state["x"], state["y"]) == (None, 1)
    response = devices.client.patch("/devices/d7", content=b'{"state": {"y": "\\ud800"}}', headers=headers)
    assert response.status_code == 422
    assert devices.get("/devices/d7")["state"] == state


def test_state_given_to_a_device_is_reported_to_its_twin(devices: Any) -> None:
    response = devices.client.patch("/devices/d6", json={"name": "Loft", "state": {"mode": "off"}})
    assert response.json()["name"] == "Loft"
    assert devices.get("/devices/d6/twin")["reported"]["mode"] == "off"
    assert devices.get("/devices/d6")["state"]["mode"] == "off"


def test_week_of_readings(telemetry: Any) -> None:
    found = _walk(telemetry, "/readings", device_id="d3", to="2026-11-01T00:00:00Z", limit=500)
    assert len(found) == 7 * 96
    assert (found[0]["at"], found[-1]["at"]) == ("2026-10-25T00:00:00Z", "2026-10-31T23:45:00Z")
    down = _walk(telemetry, "/readings", device_id="d3", to="2026-11-01T00:00:00Z", sort="-at", limit=500)
    assert down == found[::-1]
    span = {"from": "2026-10-26T01:00:00+01:00", "to": "2026-10-26T01:00:00Z"}
    assert [
        reading["at"][11:16] for reading in telemetry.get("/readings", device_id="d3", **span)["items"]
    ] == [
        "00:00",
        "00:15",
        "00:30",
        "00:45",
    ]


def test_each_reading_is_stored_once(telemetry: Any) -> None:
    """The second of equal device, metric and moment changes nothing, however the moment is written."""
    reading = {"device_id": "d400", "metric": "humidity", "value": 41.5, "at": "2026-11-02T10:00:00.250Z"}
    same = {**reading, "value": 1, "at": "2026-11-02T11:00:00.250+01:00"}
    response = telemetry.client.post("/readings", json={"items": [reading, same]})
    assert response.status_code == 202
    assert [item["status"] for item in response.json()["items"]] == ["accepted", "duplicate"]
    again = telemetry.client.post("/readings", json={"items": [reading]}).json()
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    assert telemetry.get("/readings", device_id="d400", metric="humidity")["items"] == [reading]
    assert reading in telemetry.get("/readings/latest", device_id="d1,d400")["items"]


def test_wrong_reading_does_not_stop_the_others(telemetry: Any) -> None:
    good = {"device_id": "d401", "metric": "power", "value": 3, "at": "2026-11-02T10:00:00Z"}
    wrong = [
        {**good, "at": "yesterday"},
        {**good, "at": "2026-11-02T10:00:00"},
        {**good, "value": "NaN"},
        7,
        {},
    ]
    result = telemetry.client.post("/readings", json={"items": [*wrong, good]}).json()
    assert (result["accepted"], result["rejected"]) == (1, len(wrong))
    assert [item["status"] for item in result["items"]] == ["rejected"] * len(wrong) + ["accepted"]
    assert result["items"][0]["detail"].startswith("at: ")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"items": 1}', 422), (b'{"items": [' + b"1," * 1000 + b"1]}", 422)],
)
def test_unreadable_batch_is_refused(telemetry: Any, body: bytes, status: int) -> None:
    response = telemetry.client.post("/readings", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status


def test_openapi_describes_what_is_answered(users: Any) -> None:
    paths = users.get("/openapi.json")["paths"]
    schema = paths["/users/{user_id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/User"}
