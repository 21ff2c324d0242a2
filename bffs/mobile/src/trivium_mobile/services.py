"""The services behind the screens: which calls exist, and which fields of their answers a phone needs.

A field that is not declared here is skipped while the bytes are read, so declaring less is faster.
"""

from typing import Generic, TypeVar

import msgspec

from trivium_common.upstream.client import Params, Upstream, segment
from trivium_mobile.settings import MobileSettings

T = TypeVar("T")


class Money(msgspec.Struct, frozen=True):
    """`amount` in minor units: 1999 EUR is 19.99 euros."""

    amount: int
    currency: str


class UserCard(msgspec.Struct, frozen=True):
    """A person, as the top of a screen shows them."""

    id: str
    name: str
    avatar_url: str
    loyalty_tier: str


class OrderCard(msgspec.Struct, frozen=True):
    """An order, as a list shows it."""

    id: str
    status: str
    created_at: str
    total: Money


class ProductCard(msgspec.Struct, frozen=True):
    """A product, as a list shows it. `rating` is null until somebody has rated it."""

    id: str
    name: str
    price: Money
    image_url: str
    rating: float | None


class ProductDetails(msgspec.Struct, frozen=True):
    """A product, as its own screen shows it."""

    id: str
    name: str
    brand: str
    description: str
    price: Money
    image_url: str
    gallery_urls: list[str]
    rating: float | None
    rating_count: int
    in_stock: bool


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a collection, as the services answer it."""

    items: list[T]
    next_cursor: str | None = None


class Services:
    """The clients of one process. `all` is for closing them and for /readyz."""

    def __init__(self, settings: MobileSettings) -> None:
        breaker = settings.breaker_policy
        self.users = Upstream("users", settings.users_url, breaker=breaker)
        self.products = Upstream("products", settings.products_url, breaker=breaker)
        self.orders = Upstream("orders", settings.orders_url, breaker=breaker)
        self.all = (self.users, self.products, self.orders)

    async def find_user(self, user_id: str) -> UserCard:
        """One user; raises NotFound."""
        return await self.users.get(f"/users/{segment(user_id)}", type=UserCard)

    async def list_recent_orders(self, user_id: str, limit: int, timeout_s: float) -> list[OrderCard]:
        """The newest orders of a user, newest first."""
        params: Params = {"user_id": user_id, "sort": "-created_at", "limit": limit}
        page = await self.orders.get("/orders", type=Page[OrderCard], params=params, timeout_s=timeout_s)
        return page.items

    async def list_new_products(self, limit: int, timeout_s: float) -> list[ProductCard]:
        """Products in stock, newest first."""
        params: Params = {"in_stock": True, "sort": "-created_at", "limit": limit}
        page = await self.products.get(
            "/products", type=Page[ProductCard], params=params, timeout_s=timeout_s
        )
        return page.items

    async def find_product(self, product_id: str) -> ProductDetails:
        """One product; raises NotFound."""
        return await self.products.get(f"/products/{segment(product_id)}", type=ProductDetails)
