"""The web BFF on a real socket in front of fake upstreams on another."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from trivium_common.app.testing import Call, FakeUpstreams, edge_headers, serve_app
from trivium_web.app import build_app
from trivium_web.settings import WebSettings

Ask = Callable[..., Awaitable[dict[str, Any]]]


def money(amount: int) -> dict[str, object]:
    return {"amount": amount, "currency": "EUR"}


def user(number: int) -> dict[str, object]:
    return {
        "id": f"u{number}",
        "username": f"user{number}",
        "name": f"User {number}",
        "email": f"u{number}@example.com",
        "avatar_url": f"https://images.example.com/u{number}.webp",
        "locale": "en-GB",
        "country": "GB",
        "created_at": "2026-01-01T00:00:00Z",
        "loyalty_tier": "gold",
        "phone": "+44 555 1234",
        "marketing": {"segment": "champion"},
    }


def product(number: int) -> dict[str, object]:
    return {
        "id": f"p{number}",
        "sku": f"SKU-{number}",
        "name": f"Lamp {number}",
        "brand": "Brand",
        "description": "A lamp.",
        "price": money(100 * number),
        "category_id": "c1",
        "image_url": f"https://images.example.com/p{number}.webp",
        "gallery_urls": [],
        "rating": None,
        "rating_count": 0,
        "in_stock": True,
        "created_at": "2026-01-01T00:00:00Z",
    }


def order(number: int, buyer: str = "u1") -> dict[str, object]:
    lines = [
        {"product_id": f"p{3 * number + i}", "quantity": 1 + i, "unit_price": money(100)} for i in range(3)
    ]
    return {
        "id": f"o{number}",
        "user_id": buyer,
        "status": "shipped",
        "created_at": "2026-11-01T10:00:00Z",
        "total": money(600),
        "lines": lines,
    }


def _read_batch(
    call: Call, prefix: str, limit: int, make: Callable[[int], dict[str, object]]
) -> list[object]:
    numbers = [
        int(key[1:]) for key in call.query["ids"].split(",") if key.startswith(prefix) and key[1:].isdigit()
    ]
    return [make(number) for number in numbers if number <= limit]


def _page(call: Call, count: int, make: Callable[[int], dict[str, object]]) -> dict[str, object]:
    start, limit = int(call.query.get("cursor", "0")), int(call.query.get("limit", "20"))
    items = [make(number) for number in range(1, count + 1)][start : start + limit]
    rest = start + limit < count
    return {"items": items, "next_cursor": str(start + limit) if rest else None, "total": count}


def answer_users(call: Call) -> object:
    return {"items": _read_batch(call, "u", 50, user)}


def answer_products(call: Call) -> object:
    if "ids" in call.query:
        return {"items": _read_batch(call, "p", 500, product)}
    return _page(call, 120, product)


def answer_orders(call: Call) -> object:
    if "ids" in call.query:
        return {"items": _read_batch(call, "o", 200, lambda n: order(n, "u1" if n < 100 else "u2"))}
    return _page(call, 60, order)


@pytest.fixture
def upstreams() -> FakeUpstreams:
    return FakeUpstreams(
        answers={
            "GET /users/users": answer_users,
            "GET /products/products": answer_products,
            "GET /orders/orders": answer_orders,
        }
    )


@pytest.fixture
def settings() -> dict[str, Any]:
    """What a test sets beyond the upstreams' URLs."""
    return {}


@pytest.fixture
def identity() -> dict[str, str]:
    return edge_headers("web", "u1")


@pytest.fixture
async def web(
    upstreams: FakeUpstreams, settings: dict[str, Any], identity: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of u1, asking the BFF as the edge would."""
    async with serve_app(upstreams) as url:
        app = build_app(
            WebSettings(
                breaker_base_wait_s=60.0,
                users_url=f"{url}/users",
                products_url=f"{url}/products",
                orders_url=f"{url}/orders",
                **settings,
            )
        )
        async with (
            serve_app(app) as bff,
            httpx.AsyncClient(base_url=bff, trust_env=False, headers=identity) as client,
        ):
            yield client


@pytest.fixture
def ask(web: httpx.AsyncClient) -> Ask:
    """Send a query and return the answer's JSON; anything but 200 fails the test."""

    async def ask(query: str, variables: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        response = await web.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return ask
