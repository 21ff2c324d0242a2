"""What the screens with lists share: their parameters, and pages with signed cursors."""

from collections.abc import Mapping
from typing import Annotated, TypeVar

from fastapi import Query

from trivium_common.app.cursors import CursorSigner
from trivium_common.upstream.client import ParamValue
from trivium_mobile.cards import Page

T = TypeVar("T")

DEFAULT_LIMIT = 20

Limit = Annotated[int, Query(ge=1, le=50, description="How many at most")]
CursorParameter = Annotated[
    str | None, Query(max_length=1024, description="`next_cursor` of the page before, with the same filters")
]


class Listing:
    """One list for one caller: its filters, and the cursors that belong to exactly these."""

    def __init__(
        self, cursors: CursorSigner, name: str, user_id: str, filters: Mapping[str, ParamValue]
    ) -> None:
        self._cursors = cursors
        self._binding = (name, user_id, *sorted((key, str(value)) for key, value in filters.items()))
        self._filters = filters

    def params(self, limit: int, cursor: str | None) -> dict[str, ParamValue]:
        """What to ask the service. Raises: BadRequest, when `cursor` was not made for this list."""
        inner = None if cursor is None else self._cursors.open(cursor, *self._binding)
        return {**self._filters, "limit": limit, "cursor": inner}

    def next_cursor(self, page: Page[T]) -> str | None:
        """The cursor of the next page, or None at the end."""
        return None if page.next_cursor is None else self._cursors.seal(page.next_cursor, *self._binding)
