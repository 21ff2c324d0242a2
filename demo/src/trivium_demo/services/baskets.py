"""Baskets: what users have put aside to buy, priced anew each time they are read."""

import json
import sqlite3
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from trivium_demo.data.catalogue import money
from trivium_demo.documents import dump_document
from trivium_demo.moments import Clock, format_moment, utc_now
from trivium_demo.problems import not_found
from trivium_demo.rest import Money, json_response
from trivium_demo.services.pricing import Line, NewLine, find_buyer, price_lines


class Basket(BaseModel):
    """What a user has put aside to buy."""

    user_id: str
    lines: list[Line]
    total: Money
    updated_at: str | None


class NewBasket(BaseModel):
    """The basket's whole new content."""

    model_config = ConfigDict(extra="forbid")
    lines: list[NewLine] = Field(max_length=50)


class BasketsApi:
    """The endpoints for baskets."""

    def __init__(self, db: sqlite3.Connection, clock: Clock = utc_now) -> None:
        self._db = db
        self._clock = clock

    async def get_basket(self, user_id: str) -> Response:
        """A user's basket, at today's prices; an empty one where nothing was put in."""
        number = self._require_buyer(user_id)
        row = self._db.execute("SELECT lines, updated_at FROM baskets WHERE user_n = ?", (number,)).fetchone()
        lines = [NewLine(**line) for line in json.loads(row[0])] if row else []
        return json_response(self._render_basket(user_id, lines, row[1] if row else None))

    async def put_basket(self, user_id: str, basket: NewBasket) -> Response:
        """Replace a user's basket."""
        number = self._require_buyer(user_id)
        updated_at = format_moment(self._clock())
        rendered = self._render_basket(user_id, basket.lines, updated_at)
        stored = dump_document([line.model_dump() for line in basket.lines])
        self._db.execute("INSERT OR REPLACE INTO baskets VALUES (?, ?, ?)", (number, stored, updated_at))
        return json_response(rendered)

    def _require_buyer(self, user_id: str) -> int:
        number = find_buyer(self._db, user_id)
        if number is None:
            raise not_found(user_id)
        return number

    def _render_basket(self, user_id: str, lines: Sequence[NewLine], updated_at: str | None) -> str:
        priced, total = price_lines(self._db, lines)
        return dump_document(
            {"user_id": user_id, "lines": priced, "total": money(total), "updated_at": updated_at}
        )
