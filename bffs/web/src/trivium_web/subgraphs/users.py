"""users: who people are. Key of User: id."""

# Strawberry declares `field(...)` with options as returning Any.
# mypy: disable-error-code="untyped-decorator"

from typing import Annotated, cast

import strawberry

from trivium_web.context import Info
from trivium_web.subgraphs.orders import OrdersOfUser
from trivium_web.values import DateTime


@strawberry.type(description="A person with an account.")
class User(OrdersOfUser):
    """`UserRecord` in the graph."""

    id: strawberry.ID
    username: str
    name: str
    avatar_url: str
    locale: str
    country: str
    created_at: DateTime
    loyalty_tier: str
    private_email: strawberry.Private[str]
    private_phone: strawberry.Private[str]

    @strawberry.field(description="Your own; null for anybody else.")
    def email(self, info: Info) -> str | None:
        """Shown to its owner only."""
        return self.private_email if self.id == info.context.viewer.subject else None

    @strawberry.field(description="Your own; null for anybody else.")
    def phone(self, info: Info) -> str | None:
        """Shown to its owner only."""
        return self.private_phone if self.id == info.context.viewer.subject else None


@strawberry.type
class UsersQuery:
    """The users' part of Query."""

    @strawberry.field(description="You.")
    async def me(self, info: Info) -> User | None:
        """The viewer, as the edge vouches for."""
        return cast(User, await info.context.users.load(info.context.viewer.subject))

    @strawberry.field(description="One person.")
    async def user(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="For example u1.")]
    ) -> User | None:
        """Null with an error of code NOT_FOUND when there is no such user."""
        return cast(User, await info.context.users.load(id))
