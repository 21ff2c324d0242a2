"""Relay connections over the services' cursor pages.

A service gives one cursor a page, Relay wants one an edge: an edge's cursor is the cursor of its page and
how many items of that page to skip. https://relay.dev/graphql/connections.htm
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import strawberry

from trivium_common.errors import InvalidInput
from trivium_web.services import Page

MAX_FIRST = 50
# The services' own bound of a page.
MAX_LIMIT = 100

T = TypeVar("T")


@strawberry.type(description="Where a page of a list ends.")
class PageInfo:
    """Relay's PageInfo. Lists are paged forward only."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type(description="One item of a list.")
class Edge(Generic[T]):
    """Relay's Edge."""

    node: T
    cursor: str


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's Connection. `total_count` is null where the service does not count."""

    edges: list[Edge[T]]
    page_info: PageInfo
    total_count: int | None


@dataclass(frozen=True, slots=True)
class _Place:
    cursor: str | None = None
    skip: int = 0

    def encode(self) -> str:
        return base64.urlsafe_b64encode(f"{self.skip}:{self.cursor or ''}".encode()).decode()

    @classmethod
    def decode(cls, after: str) -> "_Place":
        try:
            skip, _, cursor = base64.urlsafe_b64decode(after.encode()).decode().partition(":")
            place = cls(cursor or None, int(skip))
        except (ValueError, binascii.Error) as error:
            raise InvalidInput("`after` is no cursor of this list") from error
        if not 0 <= place.skip < MAX_LIMIT:
            raise InvalidInput("`after` is no cursor of this list")
        return place


async def fetch_connection(
    fetch: Callable[[str | None, int], Awaitable[Page[T]]], first: int, after: str | None
) -> Connection[T]:
    """The `first` items behind `after`, in one call of `fetch(cursor, limit)`.

    It may be fewer although there are more, when `after` lies deep in a service's page.
    Raises: InvalidInput, for a `first` out of bounds and an `after` that is not ours.
    """
    if not 1 <= first <= MAX_FIRST:
        raise InvalidInput(f"`first` must be between 1 and {MAX_FIRST}")
    start = _Place.decode(after) if after else _Place()
    page = await fetch(start.cursor, min(start.skip + first, MAX_LIMIT))
    nodes = page.items[start.skip : start.skip + first]
    places = [_Place(start.cursor, start.skip + index + 1) for index in range(len(nodes))]
    if places and page.next_cursor is not None:
        places[-1] = _Place(page.next_cursor)
    return Connection(
        edges=[Edge(node=node, cursor=place.encode()) for node, place in zip(nodes, places, strict=True)],
        page_info=PageInfo(
            has_next_page=page.next_cursor is not None,
            has_previous_page=after is not None,
            start_cursor=places[0].encode() if places else None,
            end_cursor=places[-1].encode() if places else None,
        ),
        total_count=page.total,
    )
