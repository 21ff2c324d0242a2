"""GET /home: who you are, your latest orders, what is new, what may suit you, what you were told. Five sources at once."""

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from trivium_common.app.gate import caller_of
from trivium_common.app.last_good import LastGood
from trivium_common.app.openapi import describe_answer
from trivium_common.app.reads import FIELDS_PARAMETER, answer_read
from trivium_common.app.sources import Sources
from trivium_mobile.cards import Notification, OrderCard, ProductCard, Recommendation, UserCard
from trivium_mobile.services import Services

ORDER_COUNT = 5
PRODUCT_COUNT = 10
RECOMMENDATION_COUNT = 5
NOTIFICATION_COUNT = 3
# How long the screen waits for what it can do without.
OPTIONAL_TIMEOUT_S = 1.5


class Home(msgspec.Struct, omit_defaults=True):
    """The home screen.

    A source that is away is left out and named in `_missing`; one that is replaced by an older or an empty
    value is named in `_fallback`.
    """

    user: UserCard
    recommendations: list[Recommendation]
    orders: list[OrderCard] | UnsetType = UNSET
    products: list[ProductCard] | UnsetType = UNSET
    notifications: list[Notification] | UnsetType = UNSET
    missing: list[str] | UnsetType = msgspec.field(name="_missing", default=UNSET)
    fallback: list[str] | UnsetType = msgspec.field(name="_fallback", default=UNSET)


def home_router(services: Services) -> APIRouter:
    """The route of the home screen."""
    router = APIRouter()
    kept: LastGood[list[Recommendation]] = LastGood()

    @router.get(
        "/home",
        operation_id="getHome",
        responses=describe_answer(Home, "The home screen"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def get_home(request: Request) -> Response:
        """Your name, your latest orders, what is new, what may suit you, what you were told."""
        user_id = caller_of(request.scope).subject
        wait_s = OPTIONAL_TIMEOUT_S
        async with Sources() as sources:
            user = sources.required("user", services.find_user(user_id))
            orders = sources.optional("orders", services.list_recent_orders(user_id, ORDER_COUNT, wait_s))
            products = sources.optional("products", services.list_new_products(PRODUCT_COUNT, wait_s))
            recommendations = sources.fallback(
                "recommendations",
                services.list_recommendations(user_id, RECOMMENDATION_COUNT, wait_s),
                kept=kept,
                key=user_id,
                static=[],
            )
            notifications = sources.optional(
                "notifications", services.list_notifications(user_id, NOTIFICATION_COUNT, wait_s)
            )
        missing, substituted = sources.missing, sources.substituted
        screen = Home(
            user=user.value,
            recommendations=recommendations.value,
            orders=UNSET if orders.value is None else orders.value,
            products=UNSET if products.value is None else products.value,
            notifications=UNSET if notifications.value is None else notifications.value,
            missing=missing or UNSET,
            fallback=substituted or UNSET,
        )
        return answer_read(request, screen, missing=missing, substituted=substituted)

    return router
