"""Pages of a collection: conditions, one order, and cursors that mark a place in it.

A cursor is signed together with the query that it belongs to: an edited one, or one of another query, is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trivium_demo.files import read_or_create_secret
from trivium_demo.problems import Problem

_MAC_BYTES = 16


class Cursors:
    """Makes and reads cursors with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, data_dir: Path) -> "Cursors":
        """With the data directory's key, so that a cursor outlives a restart."""
        return cls(read_or_create_secret(data_dir / "cursor.key", lambda: secrets.token_bytes(32)))

    def sign(self, query: str, place: Sequence[object]) -> str:
        """A cursor for `place` (JSON values) in the result of `query`."""
        payload = json.dumps(place, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(query, payload) + payload).rstrip(b"=").decode()

    def read(self, query: str, cursor: str) -> list[Any]:
        """The place that `cursor` marks.

        Raises: Problem (400, invalid_cursor) when it was not signed for this query.
        """
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(query, payload)):
            raise Problem(
                400, "invalid_cursor", "start again without `cursor`, and keep filters and sort while paging"
            )
        place: list[Any] = json.loads(payload)
        return place

    def _mac(self, query: str, payload: bytes) -> bytes:
        return hmac.digest(self._key, query.encode() + b"\0" + payload, hashlib.sha256)[:_MAC_BYTES]


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by one column; the row number decides between equals."""

    column: str
    is_descending: bool = False


@dataclass(slots=True)
class Query:
    """What is asked of one table with the columns `n` (the row's number) and `doc` (its ready JSON)."""

    table: str
    sort: Sort = field(default_factory=lambda: Sort("n"))
    conditions: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)

    def where(self, condition: str, *parameters: object) -> None:
        """Narrow the result; `condition` is SQL with a `?` for each parameter."""
        self.conditions.append(condition)
        self.parameters.extend(parameters)

    @property
    def identity(self) -> str:
        """Everything that a cursor is bound to."""
        return repr((self.table, self.sort.column, self.sort.is_descending, self.conditions, self.parameters))


def fetch_page(
    db: sqlite3.Connection, cursors: Cursors, query: Query, limit: int, cursor: str | None
) -> bytes:
    """One page of `query` as `{"items", "next_cursor", "total"}`, put together from the stored documents.

    Raises: Problem (400, invalid_cursor).
    """
    conditions, parameters = list(query.conditions), list(query.parameters)
    if cursor is not None:
        comparison = "<" if query.sort.is_descending else ">"
        conditions.append(f"({query.sort.column}, n) {comparison} (?, ?)")
        parameters.extend(cursors.read(query.identity, cursor))
    direction = "DESC" if query.sort.is_descending else "ASC"
    # The inner query runs on narrow indexes; only the page's documents are read, and none is dragged through a sort.
    rows = db.execute(
        f"SELECT doc, place, page.n FROM (SELECT {query.sort.column} AS place, n FROM {query.table}{_where(conditions)}"
        f" ORDER BY {query.sort.column} {direction}, n {direction} LIMIT ?) AS page"
        f" JOIN {query.table} AS whole ON whole.n = page.n ORDER BY place {direction}, page.n {direction}",
        (*parameters, limit + 1),
    ).fetchall()
    total = db.execute(
        f"SELECT count(*) FROM {query.table}{_where(query.conditions)}", query.parameters
    ).fetchone()[0]
    next_cursor = None
    if len(rows) > limit:
        rows.pop()
        next_cursor = cursors.sign(query.identity, rows[-1][1:])
    return render_items([row[0] for row in rows], next_cursor, total)


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def render_items(documents: Sequence[str], next_cursor: str | None = None, total: int | None = None) -> bytes:
    """A collection's answer from ready JSON documents."""
    cursor = "null" if next_cursor is None else f'"{next_cursor}"'
    count = len(documents) if total is None else total
    return f'{{"items":[{",".join(documents)}],"next_cursor":{cursor},"total":{count}}}'.encode()


def fetch_batch(db: sqlite3.Connection, table: str, numbers: Sequence[int]) -> bytes:
    """The documents of these rows in the order in which they were asked for; unknown ones are left out."""
    rows = db.execute(
        f"SELECT n, doc FROM {table} WHERE n IN (SELECT value FROM json_each(?))", (str(numbers),)
    )
    documents: dict[int, str] = dict(rows.fetchall())
    return render_items([documents[number] for number in numbers if number in documents])
