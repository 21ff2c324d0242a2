"""The mobile app: its services and its screens, wired together."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from trivium_common.app.cursors import CursorSigner
from trivium_common.app.factory import create_app
from trivium_common.app.versions import VersionGate
from trivium_mobile.cards import (
    Basket,
    NewBasket,
    NewOrder,
    OrderDetails,
    ProductDetails,
    Profile,
    ProfileChanges,
)
from trivium_mobile.screens.home import Home, home_router
from trivium_mobile.screens.me import me_router
from trivium_mobile.screens.orders import OrderList, orders_router
from trivium_mobile.screens.product import ProductList, product_router
from trivium_mobile.services import Services
from trivium_mobile.settings import MobileSettings

ANSWERS = [Home, ProductList, ProductDetails, OrderList, OrderDetails, Profile, Basket]
BODIES = [NewOrder, NewBasket, ProfileChanges]


def build_app(settings: MobileSettings) -> FastAPI:
    """The app with every screen. A new screen is a module in `screens/` and two entries here."""
    services = Services(settings)
    cursors = CursorSigner(settings.cursor_key.get_secret_value().encode())
    oldest = settings.min_app_version
    return create_app(
        settings.service,
        settings,
        [
            home_router(services),
            product_router(services, cursors),
            orders_router(services, cursors),
            me_router(services),
        ],
        upstreams=services.all,
        answers=[*ANSWERS, *BODIES],
        middleware=[] if oldest is None else [Middleware(VersionGate, minimum=oldest)],
    )
