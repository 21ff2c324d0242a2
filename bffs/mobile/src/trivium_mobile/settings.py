"""Settings of the mobile BFF, read from TRIVIUM_*."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from trivium_common.app.settings import BffSettings, UpstreamUrl
from trivium_common.app.versions import parse_version

# Known to everyone, so it signs nothing worth forging: production refuses to start with it.
DEVELOPMENT_CURSOR_KEY = "cursor-key-for-development"


def _check_version(value: str) -> str:
    parse_version(value)
    return value


class MobileSettings(BffSettings):
    """The URLs of the services, the key of cursors, the oldest app that is served, and what every BFF has."""

    service: ClassVar[str] = "mobile"

    port: int = Field(default=3001, ge=0, le=65535)
    max_request_s: float = Field(default=15.0, gt=0, le=300)
    users_url: UpstreamUrl = "http://127.0.0.1:4001"
    products_url: UpstreamUrl = "http://127.0.0.1:4002"
    orders_url: UpstreamUrl = "http://127.0.0.1:4003"
    reviews_url: UpstreamUrl = "http://127.0.0.1:4006"
    inventory_url: UpstreamUrl = "http://127.0.0.1:4007"
    cursor_key: SecretStr = Field(default=SecretStr(DEVELOPMENT_CURSOR_KEY), min_length=16)
    min_app_version: Annotated[str, AfterValidator(_check_version)] | None = None

    @model_validator(mode="after")
    def _refuse_development_key(self) -> Self:
        if self.is_production and self.cursor_key.get_secret_value() == DEVELOPMENT_CURSOR_KEY:
            raise ValueError(
                "TRIVIUM_CURSOR_KEY: production expects a secret of its own, the same for all replicas, "
                "of at least 16 characters"
            )
        return self
