"""GET /products and /products/{product_id}: searching, and one product with what people think and what there is."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET

from trivium_common.app.cursors import CursorSigner
from trivium_common.app.openapi import describe_answer
from trivium_common.app.reads import FIELDS_PARAMETER, answer_read
from trivium_common.app.sources import Sources
from trivium_common.errors import InvalidInput
from trivium_mobile.cards import ProductCard, ProductDetails
from trivium_mobile.listing import DEFAULT_LIMIT, CursorParameter, Limit, Listing
from trivium_mobile.services import Services

REVIEW_COUNT = 3
OPTIONAL_TIMEOUT_S = 1.5
PRODUCT_MAX_AGE_S = 60
_SORT_PATTERN = "^(price|-price|name|-name|created_at|-created_at|-rating)$"

Price = Annotated[int | None, Query(ge=0, le=100_000_000, description="In minor units")]
Name = Annotated[str | None, Query(min_length=1, max_length=100)]
Sort = Annotated[str | None, Query(pattern=_SORT_PATTERN, description="A minus turns it round")]


class ProductList(msgspec.Struct, omit_defaults=True):
    """A page of products; without `next_cursor` it is the last."""

    items: list[ProductCard]
    next_cursor: str | None = None


def product_router(services: Services, cursors: CursorSigner) -> APIRouter:
    """The routes of the product screens."""
    router = APIRouter()

    @router.get(
        "/products",
        operation_id="listProducts",
        responses=describe_answer(ProductList, "A page of products"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def list_products(
        request: Request,
        q: Name = None,
        category: Name = None,
        min_price: Price = None,
        max_price: Price = None,
        in_stock: bool | None = None,
        sort: Sort = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorParameter = None,
    ) -> Response:
        """Products that fit all filters; a category includes those below it."""
        if min_price is not None and max_price is not None and min_price > max_price:
            raise InvalidInput("min_price is more than max_price")
        filters = {
            "q": q,
            "category": category,
            "min_price": min_price,
            "max_price": max_price,
            "in_stock": in_stock,
            "sort": sort,
        }
        # A list of products is the same for everyone, so a cursor of it may be shared in a link.
        listing = Listing(cursors, "products", "", filters)
        page = await services.list_products(listing.params(limit, cursor))
        body = ProductList(page.items, listing.next_cursor(page))
        return answer_read(request, body, max_age_s=PRODUCT_MAX_AGE_S)

    @router.get(
        "/products/{product_id}",
        operation_id="getProduct",
        responses=describe_answer(ProductDetails, "The product screen"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def get_product(request: Request, product_id: str) -> Response:
        """One product with its newest reviews and its stock."""
        async with Sources() as sources:
            found = sources.required("product", services.find_product(product_id))
            reviews = sources.optional(
                "reviews", services.find_reviews(product_id, REVIEW_COUNT, OPTIONAL_TIMEOUT_S)
            )
            stock = sources.optional("stock", services.find_stock(product_id, OPTIONAL_TIMEOUT_S))
        missing = sources.missing
        screen = msgspec.structs.replace(
            found.value,
            # The warehouse knows better than the catalogue.
            in_stock=found.value.in_stock if stock.value is None else stock.value.quantity > 0,
            reviews=UNSET if reviews.value is None else reviews.value,
            stock=UNSET if stock.value is None else stock.value,
            missing=missing or UNSET,
        )
        return answer_read(request, screen, max_age_s=PRODUCT_MAX_AGE_S, missing=missing)

    return router
