"""GET /home: who you are, your latest orders, what is new. Three sources at once."""

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from trivium_common.app.answers import json_answer
from trivium_common.app.gate import caller_of
from trivium_common.app.openapi import describe_answer
from trivium_common.app.sources import Sources
from trivium_mobile.services import OrderCard, ProductCard, Services, UserCard

ORDER_COUNT = 5
PRODUCT_COUNT = 10
# How long the screen waits for what it can do without.
OPTIONAL_TIMEOUT_S = 1.5


class Home(msgspec.Struct):
    """The home screen. A source that is away is left out and named in `_missing`."""

    user: UserCard
    orders: list[OrderCard] | UnsetType = UNSET
    products: list[ProductCard] | UnsetType = UNSET
    missing: list[str] | UnsetType = msgspec.field(name="_missing", default=UNSET)


def home_router(services: Services) -> APIRouter:
    """The route of the home screen."""
    router = APIRouter()

    @router.get("/home", operation_id="getHome", responses=describe_answer(Home, "The home screen"))
    async def home(request: Request) -> Response:
        """Your name, your latest orders, what is new."""
        user_id = caller_of(request.scope).subject
        async with Sources() as sources:
            user = sources.required("user", services.find_user(user_id))
            orders = sources.optional(
                "orders", services.list_recent_orders(user_id, ORDER_COUNT, OPTIONAL_TIMEOUT_S)
            )
            products = sources.optional(
                "products", services.list_new_products(PRODUCT_COUNT, OPTIONAL_TIMEOUT_S)
            )
        screen = Home(
            user=user.value,
            orders=UNSET if orders.value is None else orders.value,
            products=UNSET if products.value is None else products.value,
            missing=sources.missing or UNSET,
        )
        return json_answer(screen, missing=sources.missing, cache_control="private, no-cache")

    return router
