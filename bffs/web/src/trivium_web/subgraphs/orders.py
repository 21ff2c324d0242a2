"""orders: what was bought. Key of Order: id. It adds `orders` to User. Orders are shown to their buyer only."""

# Strawberry declares `field(...)` with options as returning Any.
# mypy: disable-error-code="untyped-decorator"

from typing import TYPE_CHECKING, Annotated, cast

import strawberry

from trivium_common.errors import Forbidden, NotFound
from trivium_web.connections import Connection, fetch_connection
from trivium_web.context import Info
from trivium_web.services import Page
from trivium_web.values import DateTime, Money

if TYPE_CHECKING:
    from trivium_web.subgraphs.products import Product
    from trivium_web.subgraphs.users import User

UserEntity = Annotated["User", strawberry.lazy("trivium_web.subgraphs.users")]
ProductEntity = Annotated["Product", strawberry.lazy("trivium_web.subgraphs.products")]


@strawberry.type(description="One line of an order.")
class OrderLine:
    """`OrderLineRecord` in the graph."""

    product_id: strawberry.Private[str]
    quantity: int
    unit_price: Money = strawberry.field(description="The price at the time of the order.")

    @strawberry.field
    async def product(self, info: Info) -> ProductEntity | None:
        """All lines of all orders of an answer are one batch read."""
        return cast("Product", await info.context.products.load(self.product_id))


@strawberry.type(description="Something that was bought.")
class Order:
    """`OrderRecord` in the graph."""

    id: strawberry.ID
    user_id: strawberry.Private[str]
    status: str
    created_at: DateTime
    total: Money
    lines: list[OrderLine]

    @strawberry.field(description="Who bought it.")
    async def user(self, info: Info) -> UserEntity | None:
        """All orders of an answer are one batch read."""
        return cast("User", await info.context.users.load(self.user_id))


async def _fetch_orders(info: Info, user_id: str, first: int, after: str | None) -> Connection[Order]:
    async def fetch(cursor: str | None, limit: int) -> Page[Order]:
        page = await info.context.services.list_orders(
            {"user_id": user_id, "sort": "-created_at", "limit": limit, "cursor": cursor}
        )
        return cast("Page[Order]", page)

    return await fetch_connection(fetch, first, after)


@strawberry.type
class OrdersOfUser:
    """What orders add to User, whose key is all that they know."""

    id: strawberry.ID

    @strawberry.field(description="What you have bought, newest first. Other people's orders are forbidden.")
    async def orders(self, info: Info, first: int = 20, after: str | None = None) -> Connection[Order] | None:
        """At most 50 at a time."""
        if self.id != info.context.viewer.subject:
            raise Forbidden("orders are shown to their buyer only")
        return await _fetch_orders(info, self.id, first, after)


@strawberry.type
class OrdersQuery:
    """The orders' part of Query."""

    @strawberry.field(description="One of your orders.")
    async def order(self, info: Info, id: strawberry.ID) -> Order | None:
        """Somebody else's order is NOT_FOUND like one that does not exist."""
        record = await info.context.orders.load(id)
        if record.user_id != info.context.viewer.subject:
            raise NotFound
        return cast(Order, record)

    @strawberry.field(description="Your orders, newest first.")
    async def orders(self, info: Info, first: int = 20, after: str | None = None) -> Connection[Order] | None:
        """At most 50 at a time."""
        return await _fetch_orders(info, info.context.viewer.subject, first, after)
