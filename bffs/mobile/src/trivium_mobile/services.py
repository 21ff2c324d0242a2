"""The services behind the screens: which calls there are. What their answers hold is in cards.py."""

from typing import TypeVar

from trivium_common.errors import NotFound
from trivium_common.upstream.client import Params, Upstream, segment
from trivium_common.upstream.graphql import GraphQLAnswer, query_graphql
from trivium_mobile.cards import (
    Basket,
    NewBasket,
    NewOrder,
    Notification,
    OrderCard,
    OrderDetails,
    Page,
    PlacedOrder,
    ProductCard,
    ProductDetails,
    Profile,
    ProfileChanges,
    Recommendation,
    ReviewedEntities,
    ReviewSummary,
    StockedEntities,
    StockLevel,
    UserCard,
)
from trivium_mobile.settings import MobileSettings

REVIEWS = (
    "query ($of: [_Any!]!, $first: Int!) { _entities(representations: $of) { ... on Product {"
    " averageRating reviewCount reviews(first: $first) { id rating title body createdAt } } } }"
)
STOCK = (
    "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Product {"
    " shippingEstimate stock { quantity } } } }"
)


T = TypeVar("T")


class Services:
    """The clients of one process. `all` is for closing them and for /readyz."""

    def __init__(self, settings: MobileSettings) -> None:
        breaker = settings.breaker_policy
        self.users = Upstream("users", settings.users_url, breaker=breaker)
        self.products = Upstream("products", settings.products_url, breaker=breaker)
        self.orders = Upstream("orders", settings.orders_url, breaker=breaker)
        self.reviews = Upstream("reviews", settings.reviews_url, breaker=breaker)
        self.inventory = Upstream("inventory", settings.inventory_url, breaker=breaker)
        self.all = (self.users, self.products, self.orders, self.reviews, self.inventory)

    async def find_user(self, user_id: str) -> UserCard:
        """One user; raises NotFound."""
        return await self.users.get(f"/users/{segment(user_id)}", type=UserCard)

    async def find_profile(self, user_id: str) -> Profile:
        """One user with what only they may see; raises NotFound."""
        return await self.users.get(f"/users/{segment(user_id)}", type=Profile)

    async def change_profile(self, user_id: str, changes: ProfileChanges) -> Profile:
        """Change a user; raises InvalidInput, Conflict (the e-mail address of another)."""
        return await self.users.patch(f"/users/{segment(user_id)}", type=Profile, json=changes)

    async def list_notifications(self, user_id: str, limit: int, timeout_s: float) -> list[Notification]:
        """What the user was told, newest first."""
        path = f"/users/{segment(user_id)}/notifications"
        page = await self.users.get(
            path, type=Page[Notification], params={"limit": limit}, timeout_s=timeout_s
        )
        return page.items

    async def list_recent_orders(self, user_id: str, limit: int, timeout_s: float) -> list[OrderCard]:
        """The newest orders of a user, newest first."""
        page = await self.list_orders({"user_id": user_id, "limit": limit}, timeout_s)
        return page.items

    async def list_orders(self, params: Params, timeout_s: float | None = None) -> Page[OrderCard]:
        """A page of orders, newest first."""
        params = {**params, "sort": "-created_at"}
        return await self.orders.get("/orders", type=Page[OrderCard], params=params, timeout_s=timeout_s)

    async def find_order(self, user_id: str, order_id: str) -> OrderDetails:
        """An order of this user; raises NotFound, also for an order of somebody else."""
        order = await self.orders.get(f"/orders/{segment(order_id)}", type=PlacedOrder)
        if order.user_id != user_id:
            raise NotFound()
        return order.details()

    async def place_order(self, user_id: str, order: NewOrder, idempotency_key: str) -> OrderDetails:
        """Place an order once, however often it is asked with the same key.

        The orders service remembers keys; so a repetition is safe on every replica and after a restart.
        Raises: InvalidInput, when the key was used with another body.
        """
        body = {"user_id": user_id, "lines": order.lines, "shipping_method": order.shipping_method}
        headers = {"Idempotency-Key": idempotency_key}
        placed = await self.orders.post("/orders", type=PlacedOrder, json=body, headers=headers)
        return placed.details()

    async def find_basket(self, user_id: str) -> Basket:
        """What the user has put aside to buy, at today's prices."""
        return await self.orders.get(f"/baskets/{segment(user_id)}", type=Basket)

    async def put_basket(self, user_id: str, basket: NewBasket) -> Basket:
        """Replace the user's basket; raises InvalidInput for an unknown product."""
        return await self.orders.put(f"/baskets/{segment(user_id)}", type=Basket, json=basket)

    async def list_new_products(self, limit: int, timeout_s: float) -> list[ProductCard]:
        """Products in stock, newest first."""
        params: Params = {"in_stock": True, "sort": "-created_at", "limit": limit}
        page = await self.list_products(params, timeout_s)
        return page.items

    async def list_products(self, params: Params, timeout_s: float | None = None) -> Page[ProductCard]:
        """A page of products."""
        return await self.products.get(
            "/products", type=Page[ProductCard], params=params, timeout_s=timeout_s
        )

    async def list_recommendations(self, user_id: str, limit: int, timeout_s: float) -> list[Recommendation]:
        """Products that suit a user, best first."""
        params: Params = {"user_id": user_id, "limit": limit}
        page = await self.products.get(
            "/recommendations", type=Page[Recommendation], params=params, timeout_s=timeout_s
        )
        return page.items

    async def find_product(self, product_id: str) -> ProductDetails:
        """One product, without reviews and stock; raises NotFound."""
        return await self.products.get(f"/products/{segment(product_id)}", type=ProductDetails)

    async def find_reviews(self, product_id: str, first: int, timeout_s: float) -> ReviewSummary:
        """The newest reviews of a product; raises NotFound."""
        data = await query_graphql(
            self.reviews,
            REVIEWS,
            type=GraphQLAnswer[ReviewedEntities],
            variables={"of": [_product(product_id)], "first": first},
            timeout_s=timeout_s,
        )
        return _require_first(data.entities).summary()

    async def find_stock(self, product_id: str, timeout_s: float) -> StockLevel:
        """What there is of a product; raises NotFound where no warehouse knows it."""
        data = await query_graphql(
            self.inventory,
            STOCK,
            type=GraphQLAnswer[StockedEntities],
            variables={"of": [_product(product_id)]},
            timeout_s=timeout_s,
        )
        return _require_first(data.entities).level()


def _product(product_id: str) -> dict[str, str]:
    return {"__typename": "Product", "id": product_id}


def _require_first(entities: list[T | None]) -> T:
    if not entities or entities[0] is None:
        raise NotFound()
    return entities[0]
