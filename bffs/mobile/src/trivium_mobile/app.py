"""The mobile app: its services and its screens, wired together."""

from fastapi import FastAPI

from trivium_common.app.factory import create_app
from trivium_mobile.screens.home import Home, home_router
from trivium_mobile.screens.product import product_router
from trivium_mobile.services import ProductDetails, Services
from trivium_mobile.settings import MobileSettings


def build_app(settings: MobileSettings) -> FastAPI:
    """The app with every screen. A new screen is a module in `screens/` and two entries here."""
    services = Services(settings)
    return create_app(
        settings.service,
        settings,
        [home_router(services), product_router(services)],
        upstreams=services.all,
        answers=[Home, ProductDetails],
    )
