"""What the services' answers hold that a phone needs: one Struct for each kind of thing.

A field that is not declared here is skipped while the bytes are read, so declaring less is faster and sends less.
"""

from typing import Annotated, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")

Moment = Annotated[
    str,
    msgspec.Meta(
        extra_json_schema={"format": "date-time"}, examples=["2026-11-01T10:00:00Z"], description="In UTC."
    ),
]
# Open: a phone has to expect kinds that are not there yet.
OrderStatus = Annotated[str, msgspec.Meta(examples=["pending", "paid", "shipped", "delivered"])]
ShippingMethod = Literal["standard", "express", "pickup"]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=99)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all have in common: a member that has no value is left out, never null."""


class Money(Card, frozen=True):
    """`amount` in minor units: 1999 EUR is 19.99 euros."""

    amount: int
    currency: str


class UserCard(Card, frozen=True):
    """A person, as the top of a screen shows them."""

    id: str
    name: str
    avatar_url: str
    loyalty_tier: str


class Address(Card, frozen=True):
    """Where something goes."""

    name: str
    street: str
    city: str
    postal_code: str
    country: str


class Profile(Card, frozen=True):
    """A person, as they see themselves."""

    id: str
    name: str
    email: str
    avatar_url: str
    loyalty_tier: str
    locale: str
    address: Address
    phone: str | None = None


class ProfileChanges(Card, frozen=True, forbid_unknown_fields=True):
    """What a person may change of themselves; what is left out stays."""

    name: Text | UnsetType = UNSET
    email: Text | UnsetType = UNSET
    phone: Text | UnsetType = UNSET
    locale: Text | UnsetType = UNSET


class Notification(Card, frozen=True):
    """Something that a person was told."""

    id: str
    kind: str
    title: str
    created_at: Moment
    is_read: bool


class OrderCard(Card, frozen=True):
    """An order, as a list shows it."""

    id: str
    status: OrderStatus
    created_at: Moment
    total: Money


class OrderLine(Card, frozen=True):
    """A product in an order or a basket, with its price for one."""

    product_id: str
    quantity: int
    unit_price: Money


class Shipping(Card, frozen=True):
    """How an order travels."""

    method: str
    cost: Money
    address: Address
    estimated_delivery_at: Moment
    carrier: str | None = None


class OrderDetails(Card, frozen=True):
    """An order, as its own screen shows it."""

    id: str
    status: OrderStatus
    created_at: Moment
    total: Money
    lines: list[OrderLine]
    shipping: Shipping


class PlacedOrder(OrderDetails, frozen=True, kw_only=True):
    """An order as the service answers it: with its owner, whom no screen shows."""

    user_id: str

    def details(self) -> OrderDetails:
        """The part that a screen shows."""
        return OrderDetails(self.id, self.status, self.created_at, self.total, self.lines, self.shipping)


class NewLine(Card, frozen=True, forbid_unknown_fields=True):
    """A product to be bought."""

    product_id: Text
    quantity: Quantity


class NewOrder(Card, frozen=True, forbid_unknown_fields=True):
    """An order to be placed, at today's prices, to the buyer's address."""

    lines: Annotated[list[NewLine], msgspec.Meta(min_length=1, max_length=50)]
    shipping_method: ShippingMethod = "standard"


class NewBasket(Card, frozen=True, forbid_unknown_fields=True):
    """The basket's whole new content."""

    lines: Annotated[list[NewLine], msgspec.Meta(max_length=50)]


class Basket(Card, frozen=True):
    """What a person has put aside to buy."""

    lines: list[OrderLine]
    total: Money
    updated_at: Moment | None = None


class ProductCard(Card, frozen=True):
    """A product, as a list shows it; without a rating until somebody has rated it."""

    id: str
    name: str
    price: Money
    image_url: str
    rating: float | None = None


class Recommendation(Card, frozen=True):
    """A product that may suit."""

    id: str
    name: str
    price: Money
    image_url: str


class SpelledReview(msgspec.Struct, frozen=True, rename="camel"):
    """What somebody thinks of a product, as the subgraph spells it."""

    id: str
    rating: int
    title: str
    body: str
    created_at: Moment


class Review(Card, frozen=True):
    """What somebody thinks of a product."""

    id: str
    rating: int
    title: str
    body: str
    created_at: Moment


class ReviewSummary(Card, frozen=True):
    """What people think of a product, newest first."""

    count: int
    newest: list[Review]
    average: float | None = None


class StockLevel(Card, frozen=True):
    """How many of a product can be sent, and how long that takes."""

    quantity: int
    delivery_days: int


class ProductDetails(Card, frozen=True):
    """A product, as its own screen shows it. A source that is away is left out and named in `_missing`."""

    id: str
    name: str
    brand: str
    description: str
    price: Money
    image_url: str
    gallery_urls: list[str]
    rating_count: int
    in_stock: bool
    rating: float | None = None
    reviews: ReviewSummary | UnsetType = UNSET
    stock: StockLevel | UnsetType = UNSET
    missing: list[str] | UnsetType = msgspec.field(name="_missing", default=UNSET)


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a collection, as the services answer it."""

    items: list[T]
    next_cursor: str | None = None


class ReviewedProduct(msgspec.Struct, frozen=True, rename="camel"):
    """A product, as the reviews subgraph knows it."""

    review_count: int
    reviews: list[SpelledReview]
    average_rating: float | None = None

    def summary(self) -> ReviewSummary:
        """The part that a screen shows, in its spelling."""
        lines = [Review(r.id, r.rating, r.title, r.body, r.created_at) for r in self.reviews]
        return ReviewSummary(self.review_count, lines, self.average_rating)


class Quantified(msgspec.Struct, frozen=True):
    """How many there are."""

    quantity: int


class StockedProduct(msgspec.Struct, frozen=True, rename="camel"):
    """A product, as the inventory subgraph knows it."""

    shipping_estimate: int
    stock: Quantified

    def level(self) -> StockLevel:
        """The part that a screen shows, in its spelling."""
        return StockLevel(self.stock.quantity, self.shipping_estimate)


class ReviewedEntities(msgspec.Struct, frozen=True):
    """The data of the question for reviews; null where the product is unknown."""

    entities: list[ReviewedProduct | None] = msgspec.field(name="_entities")


class StockedEntities(msgspec.Struct, frozen=True):
    """The data of the question for stock; null where the product is unknown."""

    entities: list[StockedProduct | None] = msgspec.field(name="_entities")
