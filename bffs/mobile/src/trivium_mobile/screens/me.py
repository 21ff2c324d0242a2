"""GET and PATCH /me, GET and PUT /basket: what is the caller's own."""

from fastapi import APIRouter, Request, Response

from trivium_common.app.answers import json_answer
from trivium_common.app.gate import caller_of
from trivium_common.app.openapi import describe_answer
from trivium_common.app.reads import FIELDS_PARAMETER, answer_read
from trivium_mobile.bodies import decode_body, describe_body
from trivium_mobile.cards import Basket, NewBasket, Profile, ProfileChanges
from trivium_mobile.services import Services


def me_router(services: Services) -> APIRouter:
    """The routes of the caller's profile and basket."""
    router = APIRouter()

    @router.get(
        "/me",
        operation_id="getMe",
        responses=describe_answer(Profile, "You"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def get_me(request: Request) -> Response:
        """You."""
        return answer_read(request, await services.find_profile(caller_of(request.scope).subject))

    @router.patch(
        "/me",
        operation_id="changeMe",
        responses=describe_answer(Profile, "You, as you are now"),
        openapi_extra={"requestBody": describe_body(ProfileChanges)},
    )
    async def change_me(request: Request) -> Response:
        """Change what you sent; the rest stays."""
        changes = await decode_body(request, ProfileChanges)
        changed = await services.change_profile(caller_of(request.scope).subject, changes)
        return json_answer(changed, cache_control="no-store")

    @router.get(
        "/basket",
        operation_id="getBasket",
        responses=describe_answer(Basket, "Your basket"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def get_basket(request: Request) -> Response:
        """What you have put aside to buy, at today's prices."""
        return answer_read(request, await services.find_basket(caller_of(request.scope).subject))

    @router.put(
        "/basket",
        operation_id="putBasket",
        responses=describe_answer(Basket, "Your basket, as it is now"),
        openapi_extra={"requestBody": describe_body(NewBasket)},
    )
    async def put_basket(request: Request) -> Response:
        """Replace the content of your basket."""
        basket = await decode_body(request, NewBasket)
        changed = await services.put_basket(caller_of(request.scope).subject, basket)
        return json_answer(changed, cache_control="no-store")

    return router
