"""products: a catalogue in a tree of categories, and recommendations."""

import sqlite3
from collections import Counter
from enum import StrEnum
from typing import Annotated

import fastapi
from pydantic import BaseModel
from starlette.responses import Response

from trivium_demo.data.catalogue import product_documents, recommended_numbers
from trivium_demo.data.categories import category_document, generate_categories
from trivium_demo.data.reviews import rate_products
from trivium_demo.documents import dump_document, fetch_document
from trivium_demo.ids import batch_numbers, number_of, require_number
from trivium_demo.paging import Cursors, Query, Sort, fetch_batch, fetch_page, render_items
from trivium_demo.rest import (
    DEFAULT_LIMIT,
    CursorParameter,
    Ids,
    Limit,
    Money,
    Page,
    SearchText,
    create_rest_app,
    json_response,
)
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database

_TABLES = """
CREATE TABLE products (n INTEGER PRIMARY KEY, category_n INTEGER, name TEXT, search TEXT, price INTEGER, created_at TEXT, rating REAL, in_stock INTEGER, doc TEXT) STRICT;
CREATE TABLE categories (n INTEGER PRIMARY KEY, last_n INTEGER, parent_n INTEGER, doc TEXT) STRICT;
"""
_INDEXES = """
CREATE INDEX products_by_category ON products (category_n, in_stock, price, search, created_at, rating, name);
CREATE INDEX products_by_price ON products (price);
CREATE INDEX products_by_name ON products (name);
CREATE INDEX products_by_age ON products (created_at);
CREATE INDEX products_by_rating ON products (rating);
"""


class ProductSort(StrEnum):
    """The orders in which products can be listed; a minus turns one round."""

    PRICE = "price"
    PRICE_DOWN = "-price"
    NAME = "name"
    NAME_DOWN = "-name"
    CREATED_AT = "created_at"
    NEWEST = "-created_at"
    RATING = "-rating"


class Attributes(BaseModel):
    """What a product is like."""

    colour: str
    material: str
    weight_grams: int
    width_mm: int
    height_mm: int
    depth_mm: int
    warranty_months: int
    recyclable: bool


class Product(BaseModel):
    """A product with everything that the service knows."""

    id: str
    sku: str
    name: str
    brand: str
    description: str
    price: Money
    category_id: str
    category_path: list[str]
    image_url: str
    gallery_urls: list[str]
    rating: float | None
    rating_count: int
    in_stock: bool
    attributes: Attributes
    tax_class: str
    created_at: str
    updated_at: str


class Category(BaseModel):
    """A node of the category tree."""

    id: str
    name: str
    path: list[str]
    parent_id: str | None
    is_leaf: bool
    product_count: int


Price = Annotated[int | None, fastapi.Query(ge=0, le=100_000_000, description="in minor units")]


class ProductsApi:
    """The endpoints of the products service."""

    def __init__(self, db: sqlite3.Connection, cursors: Cursors) -> None:
        self._db = db
        self._cursors = cursors

    async def list_products(
        self,
        ids: Ids = None,
        category: str | None = None,
        q: SearchText = None,
        min_price: Price = None,
        max_price: Price = None,
        in_stock: bool | None = None,
        sort: ProductSort | None = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorParameter = None,
    ) -> Response:
        """Products by id, or a page of them; `category` includes everything below it."""
        if ids is not None:
            return json_response(fetch_batch(self._db, "products", batch_numbers("p", ids)))
        query = Query("products")
        if sort is not None:
            query.sort = Sort(sort.lstrip("-"), is_descending=sort.startswith("-"))
        if sort is ProductSort.RATING:
            query.where("rating IS NOT NULL")
        if category is not None:
            query.where("category_n BETWEEN ? AND ?", *self._category_range(category))
        if q is not None:
            query.where("instr(search, ?)", q.lower())
        if min_price is not None:
            query.where("price >= ?", min_price)
        if max_price is not None:
            query.where("price <= ?", max_price)
        if in_stock is not None:
            query.where("in_stock = ?", int(in_stock))
        return json_response(fetch_page(self._db, self._cursors, query, limit, cursor))

    def _category_range(self, category_id: str) -> tuple[int, int]:
        number = number_of("c", category_id)
        row: tuple[int, int] | None = self._db.execute(
            "SELECT n, last_n FROM categories WHERE n = ?", (number,)
        ).fetchone()
        # An unknown category has no products: an empty range.
        return row or (0, -1)

    async def get_product(self, product_id: str) -> Response:
        """One product."""
        return json_response(
            fetch_document(self._db, "products", require_number("p", product_id), product_id)
        )

    async def list_categories(self, ids: Ids = None, parent_id: str | None = None) -> Response:
        """Categories by id, or all in the tree's order, or those directly below one."""
        if ids is not None:
            return json_response(fetch_batch(self._db, "categories", batch_numbers("c", ids)))
        rows = self._db.execute(
            "SELECT doc FROM categories WHERE ?1 IS NULL OR parent_n = ?2 ORDER BY n",
            (parent_id, parent_id and number_of("c", parent_id)),
        )
        return json_response(render_items([row[0] for row in rows]))

    async def get_category(self, category_id: str) -> Response:
        """One category."""
        return json_response(
            fetch_document(self._db, "categories", require_number("c", category_id), category_id)
        )

    async def list_recommendations(self, user_id: str, limit: Limit = 10) -> Response:
        """Products that suit a user, best first."""
        numbers = recommended_numbers(require_number("u", user_id), limit)
        return json_response(fetch_batch(self._db, "products", numbers))


def create_service(settings: Settings) -> Service:
    """The products service on its file in the data directory."""
    db = open_database(settings.data_dir / "products.db", build_products)
    api = ProductsApi(db, Cursors.of(settings.data_dir))
    app = create_rest_app("products")
    app.get("/products", response_model=Page[Product])(api.list_products)
    app.get("/products/{product_id}", response_model=Product)(api.get_product)
    app.get("/categories", response_model=Page[Category])(api.list_categories)
    app.get("/categories/{category_id}", response_model=Category)(api.get_category)
    app.get("/recommendations", response_model=Page[Product])(api.list_recommendations)
    return Service(app, lambda: db.execute("SELECT 1 FROM products LIMIT 1").fetchone())


def build_products(db: sqlite3.Connection) -> None:
    """Fill an empty database with the generated catalogue."""
    for statement in _TABLES.strip().split("\n"):
        db.execute(statement)
    counts: Counter[int] = Counter()
    rows = []
    for product, document in product_documents(rate_products()):
        counts[product.category.number] += 1
        rows.append(
            (
                product.number,
                product.category.number,
                product.name,
                product.name.lower(),
                product.price,
                document["created_at"],
                document["rating"],
                int(bool(document["in_stock"])),
                dump_document(document),
            )
        )
    db.executemany("INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    for category in generate_categories():
        count = sum(counts[number] for number in range(category.number, category.last_number + 1))
        stored = dump_document(category_document(category, count))
        db.execute(
            "INSERT INTO categories VALUES (?, ?, ?, ?)",
            (category.number, category.last_number, category.parent_number, stored),
        )
    for statement in _INDEXES.strip().split("\n"):
        db.execute(statement)
