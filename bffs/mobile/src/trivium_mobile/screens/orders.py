"""GET and POST /orders, GET /orders/{order_id}: what you bought, and buying."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from trivium_common.app.answers import json_answer
from trivium_common.app.cursors import CursorSigner
from trivium_common.app.gate import caller_of
from trivium_common.app.openapi import describe_answer
from trivium_common.app.reads import FIELDS_PARAMETER, answer_read
from trivium_common.errors import BadRequest
from trivium_mobile.bodies import decode_body, describe_body
from trivium_mobile.cards import NewOrder, OrderCard, OrderDetails
from trivium_mobile.listing import DEFAULT_LIMIT, CursorParameter, Limit, Listing
from trivium_mobile.services import Services

MAX_KEY_LENGTH = 100
KEY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Made once for each order that a person means to place, and sent again with each repetition",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[!-~]+$"},
}

Status = Annotated[
    str | None, Query(pattern="^(pending|paid|shipped|delivered|returned|cancelled)$", max_length=20)
]


class OrderList(msgspec.Struct, omit_defaults=True):
    """A page of orders, newest first; without `next_cursor` it is the last."""

    items: list[OrderCard]
    next_cursor: str | None = None


def orders_router(services: Services, cursors: CursorSigner) -> APIRouter:
    """The routes of the order screens."""
    router = APIRouter()

    @router.get(
        "/orders",
        operation_id="listOrders",
        responses=describe_answer(OrderList, "A page of your orders"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def list_orders(
        request: Request, status: Status = None, limit: Limit = DEFAULT_LIMIT, cursor: CursorParameter = None
    ) -> Response:
        """Your orders, newest first."""
        user_id = caller_of(request.scope).subject
        listing = Listing(cursors, "orders", user_id, {"user_id": user_id, "status": status})
        page = await services.list_orders(listing.params(limit, cursor))
        return answer_read(request, OrderList(page.items, listing.next_cursor(page)))

    @router.get(
        "/orders/{order_id}",
        operation_id="getOrder",
        responses=describe_answer(OrderDetails, "The order screen"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def get_order(request: Request, order_id: str) -> Response:
        """One of your orders."""
        return answer_read(request, await services.find_order(caller_of(request.scope).subject, order_id))

    @router.post(
        "/orders",
        operation_id="placeOrder",
        status_code=201,
        responses=describe_answer(OrderDetails, "The order, also for a repetition", status=201),
        openapi_extra={"parameters": [KEY_PARAMETER], "requestBody": describe_body(NewOrder)},
    )
    async def place_order(request: Request) -> Response:
        """Place an order, once for each Idempotency-Key."""
        key = _require_key(request)
        order = await decode_body(request, NewOrder)
        placed = await services.place_order(caller_of(request.scope).subject, order, key)
        answer = json_answer(placed, status=201, cache_control="no-store")
        answer.headers["Location"] = f"orders/{placed.id}"
        return answer

    return router


def _require_key(request: Request) -> str:
    keys = request.headers.getlist("idempotency-key")
    if len(keys) != 1 or not 0 < len(keys[0]) <= MAX_KEY_LENGTH or not all("!" <= c <= "~" for c in keys[0]):
        raise BadRequest(
            f"Idempotency-Key: send one, of 1 to {MAX_KEY_LENGTH} visible ASCII characters, made for this order"
        )
    return keys[0]
