"""Types of the graph that belong to no subgraph alone."""

from typing import NewType

import strawberry

# Services and clients both speak RFC 3339, so the text passes through as it is.
DateTime = NewType("DateTime", str)

DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="A moment in UTC, as RFC 3339 writes it: 2026-11-25T09:30:00Z.",
    serialize=str,
    parse_value=str,
)


@strawberry.type(description="An amount of money.")
class Money:
    """`MoneyRecord` in the graph."""

    amount: int = strawberry.field(description="In minor units: 1999 EUR is 19.99 euros.")
    currency: str = strawberry.field(description="ISO 4217.")
