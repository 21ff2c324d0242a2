"""The mobile BFF on a real socket in front of fake upstreams on another."""

from collections.abc import AsyncIterator

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, edge_headers, serve_app
from trivium_mobile.app import build_app
from trivium_mobile.settings import MobileSettings

TOTAL = {"amount": 4999, "currency": "EUR"}
USER = {
    "id": "u1",
    "username": "ada",
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "avatar_url": "https://images.example.com/u1.webp",
    "loyalty_tier": "gold",
    "phone": "+44 555 1234",
    "locale": "en-GB",
    "address": {
        "name": "Ada Lovelace",
        "street": "Mill Lane 1",
        "city": "London",
        "postal_code": "10001",
        "country": "GB",
    },
    "preferences": {"language": "en", "interests": ["music", "reading", "running"], "theme": "dark"},
    "marketing": {"newsletter": True, "segment": "champion", "acquisition_channel": "podcast"},
}


def product(number: int) -> dict[str, object]:
    return {
        "id": f"p{number}",
        "sku": f"SKU-{number}",
        "name": f"Lamp {number}",
        "brand": "Brand",
        "description": "A lamp. " * 40,
        "price": {"amount": 100 * number, "currency": "EUR"},
        "image_url": f"https://images.example.com/p{number}.webp",
        "gallery_urls": [f"https://images.example.com/p{number}-{i}.webp" for i in (1, 2, 3)],
        "rating": 4.5 if number % 2 else None,
        "rating_count": number,
        "in_stock": True,
        "attributes": {"colour": "red", "material": "oak", "weight_grams": 500, "warranty_months": 24},
    }


def order(number: int) -> dict[str, object]:
    return {
        "id": f"o{number}",
        "user_id": "u1",
        "status": "shipped",
        "created_at": "2026-11-01T10:00:00Z",
        "total": TOTAL,
        "lines": [{"product_id": f"p{i}", "quantity": 1, "unit_price": TOTAL} for i in range(3)],
        "shipping": {
            "method": "express",
            "address": USER["address"],
            "carrier": "Swift",
            "cost": TOTAL,
            "estimated_delivery_at": "2026-11-04T10:00:00Z",
        },
        "payment": {"method": "card", "reference": f"PAY-{number}"},
    }


def notification(number: int) -> dict[str, object]:
    return {
        "id": f"n{number}",
        "user_id": "u1",
        "kind": "order",
        "title": "Your order is on its way",
        "body": "It left our warehouse and arrives on Thursday. " * 3,
        "created_at": "2026-11-01T10:00:00Z",
        "is_read": False,
    }


def review(number: int) -> dict[str, object]:
    return {
        "id": f"r{number}",
        "rating": 5,
        "title": "Fine",
        "body": "Fine.",
        "createdAt": "2026-10-01T10:00:00Z",
    }


REVIEWED = {"averageRating": 4.5, "reviewCount": 7, "reviews": [review(n) for n in range(3)]}
STOCKED = {"shippingEstimate": 2, "stock": {"quantity": 0}}
BASKET = {"user_id": "u1", "lines": [], "total": TOTAL, "updated_at": None}


@pytest.fixture
def upstreams() -> FakeUpstreams:
    return FakeUpstreams(
        answers={
            "GET /users/users/u1": USER,
            "GET /orders/orders": {"items": [order(n) for n in range(5)], "next_cursor": "c", "total": 9},
            "GET /products/products": {"items": [product(n) for n in range(10)], "next_cursor": None},
            "GET /products/products/p1": product(1),
            "GET /products/recommendations": {"items": [product(n) for n in range(20, 25)]},
            "GET /users/users/u1/notifications": {"items": [notification(n) for n in range(3)]},
            "GET /orders/orders/o1": order(1),
            "GET /orders/orders/o2": order(2) | {"user_id": "u2"},
            "POST /orders/orders": order(7),
            "(GET|PUT) /orders/baskets/u1": BASKET,
            "PATCH /users/users/u1": USER,
            "POST /reviews/graphql": {"data": {"_entities": [REVIEWED]}},
            "POST /inventory/graphql": {"data": {"_entities": [STOCKED]}},
        }
    )


@pytest.fixture
async def mobile(upstreams: FakeUpstreams) -> AsyncIterator[httpx.AsyncClient]:
    """A phone of u1, asking the BFF as the edge would."""
    async with serve_app(upstreams) as url:
        settings = MobileSettings(
            breaker_base_wait_s=60.0,
            users_url=f"{url}/users",
            orders_url=f"{url}/orders",
            products_url=f"{url}/products",
            reviews_url=f"{url}/reviews",
            inventory_url=f"{url}/inventory",
        )
        async with (
            serve_app(build_app(settings)) as bff,
            httpx.AsyncClient(base_url=bff, trust_env=False, headers=edge_headers("mobile", "u1")) as client,
        ):
            yield client
