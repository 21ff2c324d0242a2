"""The services behind the graph: which calls exist, and which fields of their answers the graph shows.

GraphQL reads a record's fields by name, so a record is what resolvers return for the type of that name.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from trivium_common.upstream.client import Params, Upstream
from trivium_web.settings import WebSettings

# The services take at most this many ids in one batch read.
MAX_BATCH = 200


class MoneyRecord(msgspec.Struct, frozen=True):
    """`amount` in minor units."""

    amount: int
    currency: str


class UserRecord(msgspec.Struct, frozen=True):
    """What the graph shows of a user; the private fields to the user only."""

    id: str
    username: str
    name: str
    avatar_url: str
    locale: str
    country: str
    created_at: str
    loyalty_tier: str
    private_email: str = msgspec.field(name="email")
    private_phone: str = msgspec.field(name="phone")


class ProductRecord(msgspec.Struct, frozen=True):
    """What the graph shows of a product."""

    id: str
    sku: str
    name: str
    brand: str
    description: str
    price: MoneyRecord
    category_id: str
    image_url: str
    gallery_urls: list[str]
    rating: float | None
    rating_count: int
    in_stock: bool
    created_at: str


class OrderLineRecord(msgspec.Struct, frozen=True):
    """One line of an order."""

    product_id: str
    quantity: int
    unit_price: MoneyRecord


class OrderRecord(msgspec.Struct, frozen=True):
    """What the graph shows of an order."""

    id: str
    user_id: str
    status: str
    created_at: str
    total: MoneyRecord
    lines: list[OrderLineRecord]


R = TypeVar("R")


class Page(msgspec.Struct, Generic[R], frozen=True):
    """A page of a collection, as the services answer it."""

    items: list[R]
    next_cursor: str | None = None
    total: int | None = None


class Services:
    """The clients of one process. `all` is for closing them and for /readyz."""

    def __init__(self, settings: WebSettings) -> None:
        breaker = settings.breaker_policy
        self.users = Upstream("users", settings.users_url, breaker=breaker)
        self.products = Upstream("products", settings.products_url, breaker=breaker)
        self.orders = Upstream("orders", settings.orders_url, breaker=breaker)
        self.all = (self.users, self.products, self.orders)

    async def read_users(self, ids: Sequence[str]) -> list[UserRecord]:
        """The users with these ids in one call; unknown ids are left out."""
        return (await self.users.get("/users", type=Page[UserRecord], params={"ids": ids})).items

    async def read_products(self, ids: Sequence[str]) -> list[ProductRecord]:
        """The products with these ids in one call; unknown ids are left out."""
        return (await self.products.get("/products", type=Page[ProductRecord], params={"ids": ids})).items

    async def read_orders(self, ids: Sequence[str]) -> list[OrderRecord]:
        """The orders with these ids in one call; unknown ids are left out."""
        return (await self.orders.get("/orders", type=Page[OrderRecord], params={"ids": ids})).items

    async def list_products(self, params: Params) -> Page[ProductRecord]:
        """A page of the catalogue."""
        return await self.products.get("/products", type=Page[ProductRecord], params=params)

    async def list_orders(self, params: Params) -> Page[OrderRecord]:
        """A page of orders."""
        return await self.orders.get("/orders", type=Page[OrderRecord], params=params)
