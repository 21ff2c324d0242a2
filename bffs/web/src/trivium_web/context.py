"""What the resolvers of one request share: who asks, and loaders that turn many lookups into one batch read."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from trivium_common.auth.edge_identity import EdgeIdentity
from trivium_common.errors import NotFound
from trivium_web.services import MAX_BATCH, OrderRecord, ProductRecord, Services, UserRecord


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Identified)


class RequestContext:
    """Made for each request and dropped with it: loaders cache, and what they hold belongs to one viewer."""

    __slots__ = ("orders", "products", "services", "users", "viewer")

    def __init__(self, viewer: EdgeIdentity, services: Services) -> None:
        self.viewer = viewer
        self.services = services
        self.users: DataLoader[str, UserRecord] = _build_loader(services.read_users)
        self.products: DataLoader[str, ProductRecord] = _build_loader(services.read_products)
        self.orders: DataLoader[str, OrderRecord] = _build_loader(services.read_orders)


Info = strawberry.Info[RequestContext, None]


def _build_loader(read: Callable[[Sequence[str]], Awaitable[list[R]]]) -> DataLoader[str, R]:
    """One call of `read` for all keys of a moment; a key that is not among the answers is NotFound."""

    async def load(keys: list[str]) -> list[R | BaseException]:
        found = {record.id: record for record in await read(keys)}
        return [found.get(key) or NotFound() for key in keys]

    return DataLoader(load, max_batch_size=MAX_BATCH)
