"""products: what is sold. Key of Product: id."""

# Strawberry declares `field(...)` with options as returning Any.
# mypy: disable-error-code="untyped-decorator"

from enum import Enum
from typing import cast

import strawberry

from trivium_web.connections import Connection, fetch_connection
from trivium_web.context import Info
from trivium_web.services import Page
from trivium_web.values import DateTime, Money


@strawberry.type(description="Something that is sold.")
class Product:
    """`ProductRecord` in the graph."""

    id: strawberry.ID
    sku: str
    name: str
    brand: str
    description: str
    price: Money
    category_id: strawberry.ID
    image_url: str
    gallery_urls: list[str]
    rating: float | None = strawberry.field(description="1 to 5; null until somebody has rated it.")
    rating_count: int
    in_stock: bool
    created_at: DateTime


@strawberry.enum(description="The orders in which products are listed.")
class ProductSort(Enum):
    """Values are what the products service calls them."""

    PRICE_ASC = "price"
    PRICE_DESC = "-price"
    NAME_ASC = "name"
    NAME_DESC = "-name"
    NEWEST = "-created_at"


@strawberry.input(description="Which products to list; conditions add up.")
class ProductFilter:
    """What the products service can filter by."""

    query: str | None = strawberry.field(default=None, description="Words in the name.")
    category: strawberry.ID | None = strawberry.field(default=None, description="Includes all below it.")
    min_price: int | None = strawberry.field(default=None, description="In minor units.")
    max_price: int | None = strawberry.field(default=None, description="In minor units.")
    in_stock: bool | None = None


@strawberry.type
class ProductsQuery:
    """The products' part of Query."""

    @strawberry.field(description="One product.")
    async def product(self, info: Info, id: strawberry.ID) -> Product | None:
        """Null with an error of code NOT_FOUND when there is no such product."""
        return cast(Product, await info.context.products.load(id))

    @strawberry.field(description="The catalogue.")
    async def products(
        self,
        info: Info,
        first: int = 20,
        after: str | None = None,
        filter: ProductFilter | None = None,
        sort: ProductSort | None = None,
    ) -> Connection[Product] | None:
        """At most 50 at a time."""
        wanted = filter or ProductFilter()

        async def fetch(cursor: str | None, limit: int) -> Page[Product]:
            page = await info.context.services.list_products(
                {
                    "q": wanted.query,
                    "category": wanted.category,
                    "min_price": wanted.min_price,
                    "max_price": wanted.max_price,
                    "in_stock": wanted.in_stock,
                    "sort": sort.value if sort else None,
                    "limit": limit,
                    "cursor": cursor,
                }
            )
            return cast("Page[Product]", page)

        return await fetch_connection(fetch, first, after)
