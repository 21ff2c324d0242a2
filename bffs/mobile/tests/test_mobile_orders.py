"""Orders, basket and profile: the caller's own, and an order placed once."""

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, edge_headers

ORDER = {"lines": [{"product_id": "p7", "quantity": 2}]}
KEY = {"idempotency-key": "k-1"}


async def test_orders_are_those_of_the_caller_and_cursors_are_no_good_to_others(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    first = await mobile.get("/orders", params={"status": "shipped", "limit": 5})
    cursor = first.json()["next_cursor"]
    mine = await mobile.get("/orders", params={"status": "shipped", "cursor": cursor})
    theirs = await mobile.get(
        "/orders", params={"status": "shipped", "cursor": cursor}, headers=edge_headers("mobile", "u2")
    )

    assert sorted(first.json()["items"][0]) == ["created_at", "id", "status", "total"]
    assert upstreams.calls[0].query == {
        "user_id": "u1",
        "status": "shipped",
        "limit": "5",
        "sort": "-created_at",
    }
    assert upstreams.calls[1].query["cursor"] == "c"
    assert (mine.status_code, theirs.status_code) == (200, 400)


async def test_an_order_of_somebody_else_does_not_exist(mobile: httpx.AsyncClient) -> None:
    mine, theirs = await mobile.get("/orders/o1"), await mobile.get("/orders/o2")

    assert sorted(mine.json()) == ["created_at", "id", "lines", "shipping", "status", "total"]
    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")


async def test_an_order_is_placed_for_the_caller_with_their_key(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    placed = await mobile.post("/orders", json=ORDER, headers=KEY)

    assert (placed.status_code, placed.json()["id"]) == (201, "o7")
    assert placed.headers["location"] == "orders/o7"
    assert placed.headers["cache-control"] == "no-store"
    (call,) = upstreams.calls
    assert call.headers["idempotency-key"] == "k-1"
    assert (
        call.body
        == b'{"user_id":"u1","lines":[{"product_id":"p7","quantity":2}],"shipping_method":"standard"}'
    )


@pytest.mark.parametrize("key", ["", "a b", "k" * 101])
async def test_an_order_without_a_usable_key_is_refused(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams, key: str
) -> None:
    none = await mobile.post("/orders", json=ORDER)
    bad = await mobile.post("/orders", json=ORDER, headers={"idempotency-key": key})

    assert (none.status_code, bad.status_code) == (400, 400)
    assert upstreams.calls == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 5000, 422),
        (b"{}", 422),
        (b'{"lines": []}', 422),
        (b'{"lines": [{"product_id": "p1", "quantity": 0}]}', 422),
        (b'{"lines": [{"product_id": "p1", "quantity": 1}], "user_id": "u2"}', 422),
        (b"x" * 70_000, 413),
    ],
)
async def test_a_wrong_order_is_refused_before_any_call(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams, body: bytes, status: int
) -> None:
    headers = KEY | {"content-type": "application/json"}
    refused = await mobile.post("/orders", content=body, headers=headers)
    form = await mobile.post("/orders", content=body, headers=KEY)

    assert refused.status_code == status
    assert form.status_code == 415
    assert upstreams.calls == []


async def test_basket_and_profile_are_the_callers_own(
    mobile: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    assert (await mobile.get("/basket")).json() == {"lines": [], "total": {"amount": 4999, "currency": "EUR"}}
    assert (await mobile.put("/basket", json={"lines": []})).status_code == 200
    me = await mobile.get("/me")
    changed = await mobile.patch("/me", json={"name": "Ada"})

    assert sorted(me.json()) == [
        "address",
        "avatar_url",
        "email",
        "id",
        "locale",
        "loyalty_tier",
        "name",
        "phone",
    ]
    assert "marketing" not in changed.json()
    assert upstreams.calls[-1].body == b'{"name":"Ada"}'
    assert (await mobile.patch("/me", json={"loyalty_tier": "gold"})).status_code == 422
    assert {call.path for call in upstreams.calls} == {"/baskets/u1", "/users/u1"}
