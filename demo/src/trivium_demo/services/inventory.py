"""inventory: a federation subgraph that adds stock and shipping times to products."""

import sqlite3
from collections.abc import Sequence
from typing import Self

import strawberry
from strawberry import ID, Info, federation
from strawberry.dataloader import DataLoader

from trivium_demo.data.catalogue import PRODUCT_COUNT
from trivium_demo.data.stock import WAREHOUSES, Stock, stock_of
from trivium_demo.ids import number_of
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database
from trivium_demo.subgraph import SubgraphSchema, bad_input, create_subgraph_app, field

_TABLE = "CREATE TABLE stock (n INTEGER PRIMARY KEY, quantity INTEGER, warehouse TEXT, shipping_days INTEGER) STRICT"
_MAX_QUANTITY = 1_000_000


class Store:
    """Batched reads and the one write."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    async def load_stock(self, numbers: list[int]) -> Sequence[Stock | None]:
        """What there is of each product; None for an unknown one."""
        rows = self._db.execute(
            "SELECT n, quantity, warehouse, shipping_days FROM stock WHERE n IN (SELECT value FROM json_each(?))",
            (str(numbers),),
        )
        found = {number: Stock(*columns) for number, *columns in rows}
        return [found.get(number) for number in numbers]

    def set_quantity(self, number: int, quantity: int) -> None:
        """Store a quantity; nothing happens for an unknown product."""
        self._db.execute("UPDATE stock SET quantity = ? WHERE n = ?", (quantity, number))


class Loaders:
    """What the resolvers of one request share: equal reads are made once, and together."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.stock: DataLoader[int, Stock | None] = DataLoader(store.load_stock)


LoadersInfo = Info[Loaders, None]


@strawberry.type(name="Stock", description="What lies in the warehouse that serves a product.")
class StockLevel:
    """How much there is, and where."""

    quantity: int
    warehouse: str


@federation.type(keys=["id"])
class Product:
    """A product, as far as the warehouses know it."""

    id: ID
    known: strawberry.Private[Stock]

    @classmethod
    async def resolve_reference(cls, info: LoadersInfo, id: str) -> Self | None:
        """The product with this id; None when no warehouse has ever held it."""
        number = number_of("p", id)
        known = None if number is None else await info.context.stock.load(number)
        return None if known is None else cls(id=ID(id), known=known)

    @strawberry.field
    def in_stock(self) -> bool:
        """Whether it can be sent today."""
        return self.known.quantity > 0

    @strawberry.field
    def stock(self) -> StockLevel:
        """How much there is, and where."""
        return StockLevel(quantity=self.known.quantity, warehouse=self.known.warehouse)

    @field("Days until delivery; longer when it has to be made first.")
    def shipping_estimate(self) -> int:
        """Days until delivery."""
        return self.known.shipping_days


@strawberry.type
class Query:
    """Where reading starts."""

    @field("The names of all warehouses.")
    def warehouses(self) -> list[str]:
        """The names of all warehouses."""
        return list(WAREHOUSES)


@strawberry.type
class Mutation:
    """What can be changed."""

    @field("Say how many of a product there are; null for an unknown product.")
    async def set_stock(self, info: LoadersInfo, product_id: ID, quantity: int) -> Product | None:
        """Check and store."""
        number = number_of("p", product_id)
        if not 0 <= quantity <= _MAX_QUANTITY:
            raise bad_input(f"quantity must be from 0 to {_MAX_QUANTITY}")
        if number is not None:
            info.context.store.set_quantity(number, quantity)
        return await Product.resolve_reference(info, product_id)


def create_service(settings: Settings) -> Service:
    """The inventory subgraph on its file in the data directory."""
    db = open_database(settings.data_dir / "inventory.db", build_inventory)
    store = Store(db)
    schema = SubgraphSchema(Query, Mutation, {"Product": Product})
    app = create_subgraph_app(schema, lambda: Loaders(store))
    return Service(app, lambda: db.execute("SELECT 1 FROM stock LIMIT 1").fetchone())


def build_inventory(db: sqlite3.Connection) -> None:
    """Fill an empty database with the generated stock."""
    db.execute(_TABLE)
    stocks = ((number, stock_of(number)) for number in range(1, PRODUCT_COUNT + 1))
    db.executemany(
        "INSERT INTO stock VALUES (?, ?, ?, ?)",
        ((number, stock.quantity, stock.warehouse, stock.shipping_days) for number, stock in stocks),
    )
