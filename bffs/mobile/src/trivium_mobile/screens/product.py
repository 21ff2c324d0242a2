"""GET /products/{id}: one product in full."""

from fastapi import APIRouter, Response

from trivium_common.app.answers import json_answer
from trivium_common.app.openapi import describe_answer
from trivium_mobile.services import ProductDetails, Services


def product_router(services: Services) -> APIRouter:
    """The route of the product screen."""
    router = APIRouter()

    @router.get(
        "/products/{product_id}",
        operation_id="getProduct",
        responses=describe_answer(ProductDetails, "The product screen"),
    )
    async def product(product_id: str) -> Response:
        """One product in full."""
        return json_answer(await services.find_product(product_id), cache_control="private, max-age=60")

    return router
