"""Stored documents: read one, change one."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from trivium_demo.problems import invalid_input, not_found

Document = dict[str, Any]


def dump_document(document: object) -> str:
    """A document as it is stored and answered: compact JSON; what JSON does not know, NaN and infinity, is null.

    Raises: Problem (422) for half a surrogate pair, which JSON can spell and UTF-8 cannot.
    """
    try:
        return to_json(document, inf_nan_mode="null").decode()
    except PydanticSerializationError as error:
        raise invalid_input("a text in the request is not valid Unicode") from error


def fetch_document(db: sqlite3.Connection, table: str, number: int, id: str) -> str:
    """The stored JSON of one row.

    Raises: Problem (404).
    """
    row = db.execute(f"SELECT doc FROM {table} WHERE n = ?", (number,)).fetchone()
    if row is None:
        raise not_found(id)
    document: str = row[0]
    return document


def load_document(db: sqlite3.Connection, table: str, number: int, id: str) -> Document:
    """One row's document, to be changed.

    Raises: Problem (404).
    """
    document: Document = json.loads(fetch_document(db, table, number, id))
    return document


def merge_changes(document: Document, changes: Mapping[str, Any]) -> None:
    """Lay `changes` over `document` in place; a null removes a member (RFC 7396)."""
    for name, value in changes.items():
        if value is None:
            document.pop(name, None)
        elif isinstance(value, Mapping):
            below = document.get(name)
            document[name] = below = dict(below) if isinstance(below, dict) else {}
            merge_changes(below, value)
        else:
            document[name] = value
