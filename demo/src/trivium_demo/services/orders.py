"""orders: what was bought. Baskets, which live in the same service and file, are in baskets.py."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from trivium_demo.data.catalogue import generate_products, money
from trivium_demo.data.dates import format_time
from trivium_demo.data.orders import SHIPPING_COSTS, generate_baskets, generate_orders
from trivium_demo.data.people import address_of, generate_people
from trivium_demo.documents import dump_document, fetch_document
from trivium_demo.ids import batch_numbers, number_of, require_number
from trivium_demo.moments import Clock, format_moment, utc_now
from trivium_demo.paging import Cursors, Query, Sort, fetch_batch, fetch_page, render_items
from trivium_demo.problems import invalid_input
from trivium_demo.rest import (
    DEFAULT_LIMIT,
    CursorParameter,
    Ids,
    Limit,
    Money,
    Page,
    create_rest_app,
    json_response,
)
from trivium_demo.services.baskets import Basket, BasketsApi
from trivium_demo.services.pricing import Line, NewLine, find_buyer, price_lines
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database, transaction

# `buyers` and `prices` are the copies that a real order service would keep of its neighbours' data, fed by events.
_TABLES = """
CREATE TABLE orders (n INTEGER PRIMARY KEY, user_n INTEGER, status TEXT, created_at TEXT, doc TEXT) STRICT;
CREATE TABLE baskets (user_n INTEGER PRIMARY KEY, lines TEXT, updated_at TEXT) STRICT;
CREATE TABLE buyers (user_n INTEGER PRIMARY KEY, address TEXT) STRICT;
CREATE TABLE prices (product_n INTEGER PRIMARY KEY, amount INTEGER) STRICT;
CREATE TABLE idempotency (key TEXT PRIMARY KEY, digest TEXT, order_n INTEGER) STRICT;
"""
_INDEXES = """
CREATE INDEX orders_by_user ON orders (user_n, created_at);
CREATE INDEX orders_by_status ON orders (status, created_at);
CREATE INDEX orders_by_age ON orders (created_at);
"""

Status = Literal["pending", "paid", "shipped", "delivered", "returned", "cancelled"]
OrderSort = Literal["created_at", "-created_at"]
ShippingMethod = Literal["standard", "express", "pickup"]


class ShippingAddress(BaseModel):
    """Where an order goes."""

    name: str
    street: str
    city: str
    postal_code: str
    country: str


class Shipping(BaseModel):
    """How an order travels."""

    method: ShippingMethod
    cost: Money
    address: ShippingAddress
    carrier: str | None
    estimated_delivery_at: str


class Payment(BaseModel):
    """How an order is paid."""

    method: str
    reference: str


class Order(BaseModel):
    """An order with its lines."""

    id: str
    user_id: str
    status: Status
    created_at: str
    updated_at: str
    total: Money
    lines: list[Line]
    shipping: Shipping
    payment: Payment


class NewOrder(BaseModel):
    """An order to be placed; without an address it goes to the user's."""

    model_config = ConfigDict(extra="forbid")
    user_id: str
    lines: list[NewLine] = Field(min_length=1, max_length=50)
    shipping_method: ShippingMethod = "standard"
    shipping_address: ShippingAddress | None = None


IdempotencyKey = Annotated[
    str | None, Header(max_length=200, description="same key and body: the same order again")
]
_DELIVERY_S = 3 * 86_400


class OrdersApi:
    """The endpoints of the orders service."""

    def __init__(self, db: sqlite3.Connection, cursors: Cursors, clock: Clock = utc_now) -> None:
        self._db = db
        self._cursors = cursors
        self._clock = clock

    async def list_orders(
        self,
        ids: Ids = None,
        user_id: str | None = None,
        user_ids: str | None = None,
        status: Status | None = None,
        sort: OrderSort = "-created_at",
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorParameter = None,
    ) -> Response:
        """Orders by id, a page of them, or with `user_ids` up to `limit` orders of each of these users."""
        if ids is not None:
            return json_response(fetch_batch(self._db, "orders", batch_numbers("o", ids)))
        query = Query("orders", Sort("created_at", is_descending=sort.startswith("-")))
        if status is not None:
            query.where("status = ?", status)
        if user_ids is not None:
            return json_response(self._orders_of_each(batch_numbers("u", user_ids), query, limit))
        if user_id is not None:
            query.where("user_n = ?", number_of("u", user_id))
        return json_response(fetch_page(self._db, self._cursors, query, limit, cursor))

    def _orders_of_each(self, user_numbers: Sequence[int], query: Query, limit: int) -> bytes:
        direction = "DESC" if query.sort.is_descending else "ASC"
        condition = " AND ".join(["user_n = ?", *query.conditions])
        documents: list[str] = []
        # One indexed statement for each user is cheaper than a window over all of their orders.
        for number in user_numbers:
            rows = self._db.execute(
                f"SELECT doc FROM orders WHERE {condition} ORDER BY created_at {direction}, n {direction} LIMIT ?",
                (number, *query.parameters, limit),
            )
            documents.extend(row[0] for row in rows)
        return render_items(documents)

    async def get_order(self, order_id: str) -> Response:
        """One order."""
        return json_response(fetch_document(self._db, "orders", require_number("o", order_id), order_id))

    async def place_order(self, order: NewOrder, idempotency_key: IdempotencyKey = None) -> Response:
        """Place an order at today's prices."""
        digest = hashlib.sha256(order.model_dump_json().encode()).hexdigest()
        with transaction(self._db):
            number = (
                None if idempotency_key is None else self._find_replay(order.user_id, idempotency_key, digest)
            )
            if number is None:
                number = self._insert_order(order)
                if idempotency_key is not None:
                    key = f"{order.user_id} {idempotency_key}"
                    self._db.execute("INSERT INTO idempotency VALUES (?, ?, ?)", (key, digest, number))
        document = fetch_document(self._db, "orders", number, f"o{number}")
        return json_response(document, 201, {"Location": f"/orders/o{number}"})

    def _find_replay(self, user_id: str, idempotency_key: str, digest: str) -> int | None:
        key = f"{user_id} {idempotency_key}"
        row = self._db.execute("SELECT digest, order_n FROM idempotency WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        if row[0] != digest:
            raise invalid_input("this Idempotency-Key was used with another body")
        number: int = row[1]
        return number

    def _insert_order(self, order: NewOrder) -> int:
        user_number = find_buyer(self._db, order.user_id)
        if user_number is None:
            raise invalid_input(f"there is no user {order.user_id!r}")
        lines, lines_total = price_lines(self._db, order.lines)
        address = order.shipping_address or ShippingAddress(**self._address_of(user_number))
        cost = SHIPPING_COSTS[order.shipping_method]
        number: int = self._db.execute("SELECT max(n) + 1 FROM orders").fetchone()[0]
        now = self._clock()
        created_at = format_moment(now)
        document = {
            "id": f"o{number}",
            "user_id": order.user_id,
            "status": "pending",
            "created_at": created_at,
            "updated_at": created_at,
            "total": money(lines_total + cost),
            "lines": lines,
            "shipping": {
                "method": order.shipping_method,
                "cost": money(cost),
                "address": address.model_dump(),
                "carrier": None,
                "estimated_delivery_at": format_time(now.timestamp() + _DELIVERY_S),
            },
            "payment": {"method": "card", "reference": f"PAY-{number:08}"},
        }
        row = (number, user_number, "pending", created_at, dump_document(document))
        self._db.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", row)
        return number

    def _address_of(self, user_number: int) -> dict[str, Any]:
        row = self._db.execute("SELECT address FROM buyers WHERE user_n = ?", (user_number,)).fetchone()
        address: dict[str, Any] = json.loads(row[0])
        return address


def create_service(settings: Settings) -> Service:
    """The orders service on its file in the data directory."""
    db = open_database(settings.data_dir / "orders.db", build_orders)
    api = OrdersApi(db, Cursors.of(settings.data_dir))
    app = create_rest_app("orders")
    app.get("/orders", response_model=Page[Order])(api.list_orders)
    app.get("/orders/{order_id}", response_model=Order)(api.get_order)
    app.post("/orders", response_model=Order, status_code=201)(api.place_order)
    baskets = BasketsApi(db)
    app.get("/baskets/{user_id}", response_model=Basket)(baskets.get_basket)
    app.put("/baskets/{user_id}", response_model=Basket)(baskets.put_basket)
    return Service(app, lambda: db.execute("SELECT 1 FROM orders LIMIT 1").fetchone())


def build_orders(db: sqlite3.Connection) -> None:
    """Fill an empty database with the generated orders and baskets."""
    for statement in _TABLES.strip().split("\n"):
        db.execute(statement)
    db.executemany(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
        (
            (order.number, order.user_number, order.status, order.created_at, dump_document(order.document))
            for order in generate_orders()
        ),
    )
    db.executemany(
        "INSERT INTO prices VALUES (?, ?)",
        ((product.number, product.price) for product in generate_products()),
    )
    db.executemany(
        "INSERT INTO buyers VALUES (?, ?)",
        ((person.number, dump_document(address_of(person))) for person in generate_people()),
    )
    for user_number, quantities in generate_baskets():
        lines = [
            {"product_id": f"p{number}", "quantity": quantity} for number, quantity in quantities.items()
        ]
        db.execute(
            "INSERT INTO baskets VALUES (?, ?, ?)",
            (user_number, dump_document(lines), "2026-10-31T18:00:00Z"),
        )
    for statement in _INDEXES.strip().split("\n"):
        db.execute(statement)
