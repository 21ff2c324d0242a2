"""What orders and baskets share: lines, their prices, and who may buy."""

import sqlite3
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from trivium_demo.data.orders import order_line
from trivium_demo.ids import number_of
from trivium_demo.problems import invalid_input
from trivium_demo.rest import Money


class Line(BaseModel):
    """A product in an order or basket."""

    product_id: str
    quantity: int
    unit_price: Money


class NewLine(BaseModel):
    """A product to be bought; the service knows the price."""

    model_config = ConfigDict(extra="forbid")
    product_id: str
    quantity: int = Field(ge=1, le=99)


def price_lines(db: sqlite3.Connection, lines: Sequence[NewLine]) -> tuple[list[dict[str, object]], int]:
    """Lines at today's prices, and what they cost together.

    Raises: Problem (422) for an unknown product.
    """
    priced, total = [], 0
    for line in lines:
        number = number_of("p", line.product_id)
        row = db.execute("SELECT amount FROM prices WHERE product_n = ?", (number,)).fetchone()
        if number is None or row is None:
            raise invalid_input(f"there is no product {line.product_id!r}")
        priced.append(order_line(number, line.quantity, row[0]))
        total += line.quantity * row[0]
    return priced, total


def find_buyer(db: sqlite3.Connection, user_id: str) -> int | None:
    """The number of a user who may buy, or None."""
    row = db.execute("SELECT user_n FROM buyers WHERE user_n = ?", (number_of("u", user_id),)).fetchone()
    return None if row is None else int(row[0])
