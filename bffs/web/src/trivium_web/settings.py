"""Settings of the web BFF, read from TRIVIUM_*."""

from typing import ClassVar

from pydantic import Field

from trivium_common.app.settings import BffSettings, UpstreamUrl


class WebSettings(BffSettings):
    """TRIVIUM_USERS_URL, TRIVIUM_PRODUCTS_URL, TRIVIUM_ORDERS_URL and what every BFF has."""

    service: ClassVar[str] = "web"

    port: int = Field(default=3000, ge=0, le=65535)
    max_request_s: float = Field(default=30.0, gt=0, le=300)
    users_url: UpstreamUrl = "http://127.0.0.1:4001"
    products_url: UpstreamUrl = "http://127.0.0.1:4002"
    orders_url: UpstreamUrl = "http://127.0.0.1:4003"
