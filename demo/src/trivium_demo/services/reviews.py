"""reviews: a federation subgraph that adds reviews to products and users."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import strawberry
from strawberry import ID, Info, federation
from strawberry.dataloader import DataLoader

from trivium_demo.data.reviews import average_of, generate_reviews
from trivium_demo.ids import number_of
from trivium_demo.moments import Clock, format_moment, utc_now
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database
from trivium_demo.subgraph import SubgraphSchema, bad_input, create_subgraph_app, field, require_first

_TABLE = """
CREATE TABLE reviews (n INTEGER PRIMARY KEY, product_n INTEGER, user_n INTEGER, rating INTEGER, title TEXT, body TEXT, created_at TEXT) STRICT;
CREATE INDEX reviews_by_product ON reviews (product_n, n);
CREATE INDEX reviews_by_user ON reviews (user_n, n);
"""
_COLUMNS = "n, product_n, user_n, rating, title, body, created_at"


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A review as it is stored."""

    number: int
    product_number: int
    user_number: int
    rating: int
    title: str
    body: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Rating:
    """How a product is rated on the whole."""

    average: float
    count: int


# A parent's number and how many of its reviews are wanted.
ListKey = tuple[int, int]


class Store:
    """Batched reads and the one write."""

    def __init__(self, db: sqlite3.Connection, clock: Clock = utc_now) -> None:
        self._db = db
        self._clock = clock

    async def load_reviews(self, numbers: list[int]) -> Sequence[ReviewRow | None]:
        """Reviews by number."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM reviews WHERE n IN (SELECT value FROM json_each(?))", (str(numbers),)
        )
        found = {row[0]: ReviewRow(*row) for row in rows}
        return [found.get(number) for number in numbers]

    async def load_of_products(self, keys: list[ListKey]) -> Sequence[list[ReviewRow]]:
        """The newest reviews of each product."""
        return self._load_newest("product_n", keys)

    async def load_of_users(self, keys: list[ListKey]) -> Sequence[list[ReviewRow]]:
        """The newest reviews by each user."""
        return self._load_newest("user_n", keys)

    def _load_newest(self, parent: str, keys: list[ListKey]) -> list[list[ReviewRow]]:
        most = max(first for _, first in keys)
        rows = self._db.execute(
            f"SELECT {_COLUMNS}, parent FROM (SELECT *, {parent} AS parent,"
            f" row_number() OVER (PARTITION BY {parent} ORDER BY n DESC) AS place"
            f" FROM reviews WHERE {parent} IN (SELECT value FROM json_each(?))) WHERE place <= ? ORDER BY n DESC",
            (str([number for number, _ in keys]), most),
        )
        found: defaultdict[int, list[ReviewRow]] = defaultdict(list)
        for *columns, number in rows:
            found[number].append(ReviewRow(*columns))
        return [found[number][:first] for number, first in keys]

    async def load_ratings(self, numbers: list[int]) -> Sequence[Rating | None]:
        """How each product is rated; None where it has no reviews."""
        rows = self._db.execute(
            "SELECT product_n, sum(rating), count(*) FROM reviews"
            " WHERE product_n IN (SELECT value FROM json_each(?)) GROUP BY product_n",
            (str(numbers),),
        )
        found = {number: Rating(average_of(total, count), count) for number, total, count in rows}
        return [found.get(number) for number in numbers]

    def find_latest(self, first: int) -> list[ReviewRow]:
        """The newest reviews of all."""
        rows = self._db.execute(f"SELECT {_COLUMNS} FROM reviews ORDER BY n DESC LIMIT ?", (first,))
        return [ReviewRow(*row) for row in rows]

    def add(self, product_number: int, user_number: int, rating: int, title: str, body: str) -> ReviewRow:
        """Store a review."""
        created_at = format_moment(self._clock())
        columns = (product_number, user_number, rating, title, body, created_at)
        row = self._db.execute(
            "INSERT INTO reviews (product_n, user_n, rating, title, body, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            columns,
        )
        return ReviewRow(row.lastrowid or 0, *columns)


class Loaders:
    """What the resolvers of one request share: equal reads are made once, and together."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.reviews: DataLoader[int, ReviewRow | None] = DataLoader(store.load_reviews)
        self.of_products: DataLoader[ListKey, list[ReviewRow]] = DataLoader(store.load_of_products)
        self.of_users: DataLoader[ListKey, list[ReviewRow]] = DataLoader(store.load_of_users)
        self.ratings: DataLoader[int, Rating | None] = DataLoader(store.load_ratings)


LoadersInfo = Info[Loaders, None]


@federation.type(keys=["id"], description="What a user thinks of a product.")
class Review:
    """A review; products and users are resolved by their own subgraphs."""

    id: ID
    rating: int = strawberry.field(description="From 1 to 5 stars.")
    title: str
    body: str
    created_at: str = strawberry.field(description="RFC 3339, UTC.")
    product: "Product"
    author: "User"

    @classmethod
    def of(cls, row: ReviewRow) -> Self:
        """The type for a row."""
        return cls(
            id=ID(f"r{row.number}"),
            rating=row.rating,
            title=row.title,
            body=row.body,
            created_at=row.created_at,
            product=Product(id=ID(f"p{row.product_number}"), number=row.product_number),
            author=User(id=ID(f"u{row.user_number}"), number=row.user_number),
        )

    @classmethod
    async def resolve_reference(cls, info: LoadersInfo, id: str) -> Self | None:
        """The review with this id."""
        number = number_of("r", id)
        row = None if number is None else await info.context.reviews.load(number)
        return None if row is None else cls.of(row)


@federation.type(keys=["id"])
class Product:
    """A product, as far as reviews know it: any well-formed id may exist."""

    id: ID
    number: strawberry.Private[int]

    @classmethod
    def resolve_reference(cls, _info: LoadersInfo, id: str) -> Self | None:
        """The product with this id."""
        number = number_of("p", id)
        return None if number is None else cls(id=ID(id), number=number)

    @field("The newest reviews, at most 100.")
    async def reviews(self, info: LoadersInfo, first: int = 5) -> list[Review]:
        """The newest reviews of this product."""
        rows = await info.context.of_products.load((self.number, require_first(first)))
        return [Review.of(row) for row in rows]

    @field("Stars on average; null without reviews.")
    async def average_rating(self, info: LoadersInfo) -> float | None:
        """Two decimals are enough for stars."""
        rating = await info.context.ratings.load(self.number)
        return None if rating is None else rating.average

    @strawberry.field
    async def review_count(self, info: LoadersInfo) -> int:
        """How many reviews there are."""
        rating = await info.context.ratings.load(self.number)
        return 0 if rating is None else rating.count


@federation.type(keys=["id"])
class User:
    """A user, as far as reviews know them: any well-formed id may exist."""

    id: ID
    number: strawberry.Private[int]

    @classmethod
    def resolve_reference(cls, _info: LoadersInfo, id: str) -> Self | None:
        """The user with this id."""
        number = number_of("u", id)
        return None if number is None else cls(id=ID(id), number=number)

    @field("The newest reviews by this user, at most 100.")
    async def reviews(self, info: LoadersInfo, first: int = 5) -> list[Review]:
        """The newest reviews by this user."""
        rows = await info.context.of_users.load((self.number, require_first(first)))
        return [Review.of(row) for row in rows]


@strawberry.type
class Query:
    """Where reading starts."""

    @field("One review, or null.")
    async def review(self, info: LoadersInfo, id: ID) -> Review | None:
        """One review."""
        return await Review.resolve_reference(info, id)

    @field("The newest reviews of all products, at most 100.")
    def latest_reviews(self, info: LoadersInfo, first: int = 10) -> list[Review]:
        """The newest reviews."""
        return [Review.of(row) for row in info.context.store.find_latest(require_first(first))]


@strawberry.input
class AddReviewInput:
    """What a user writes."""

    product_id: ID
    user_id: ID
    rating: int
    title: str
    body: str


@strawberry.type
class Mutation:
    """What can be changed."""

    @field("Store a review; it is the newest from then on.")
    def add_review(self, info: LoadersInfo, input: AddReviewInput) -> Review:
        """Check and store."""
        product_number, user_number = number_of("p", input.product_id), number_of("u", input.user_id)
        if product_number is None or user_number is None:
            raise bad_input("productId and userId must be ids like p1 and u1")
        if not 1 <= input.rating <= 5:
            raise bad_input("rating must be from 1 to 5")
        if not (0 < len(input.title) <= 120 and 0 < len(input.body) <= 4_000):
            raise bad_input("title must have 1 to 120 characters, body 1 to 4000")
        row = info.context.store.add(product_number, user_number, input.rating, input.title, input.body)
        return Review.of(row)


def create_service(settings: Settings) -> Service:
    """The reviews subgraph on its file in the data directory."""
    db = open_database(settings.data_dir / "reviews.db", build_reviews)
    store = Store(db)
    create_loaders: Callable[[], Loaders] = lambda: Loaders(store)  # noqa: E731 - typed for the endpoint
    schema = SubgraphSchema(Query, Mutation, {"Review": Review, "Product": Product, "User": User})
    return Service(
        create_subgraph_app(schema, create_loaders),
        lambda: db.execute("SELECT 1 FROM reviews LIMIT 1").fetchone(),
    )


def build_reviews(db: sqlite3.Connection) -> None:
    """Fill an empty database with the generated reviews."""
    for statement in _TABLE.strip().split("\n"):
        db.execute(statement)
    db.executemany(
        f"INSERT INTO reviews ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                seed.number,
                seed.product_number,
                seed.user_number,
                seed.rating,
                seed.title,
                seed.text,
                seed.created_at,
            )
            for seed in generate_reviews()
        ),
    )
