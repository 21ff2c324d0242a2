"""Settings of the IoT BFF, read from TRIVIUM_*."""

from typing import ClassVar

from pydantic import Field

from trivium_common.app.settings import BffSettings, UpstreamUrl


class IotSettings(BffSettings):
    """TRIVIUM_DEVICES_URL, TRIVIUM_TELEMETRY_URL and what every BFF has."""

    service: ClassVar[str] = "iot"

    port: int = Field(default=3002, ge=0, le=65535)
    max_request_s: float = Field(default=5.0, gt=0, le=300)
    devices_url: UpstreamUrl = "http://127.0.0.1:4004"
    telemetry_url: UpstreamUrl = "http://127.0.0.1:4005"
