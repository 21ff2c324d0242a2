"""The IoT app: its services and its routes, wired together."""

from fastapi import FastAPI

from trivium_common.app.factory import create_app
from trivium_iot.devices import DeviceState, devices_router
from trivium_iot.readings import ReadingIn
from trivium_iot.services import Services
from trivium_iot.settings import IotSettings
from trivium_iot.telemetry import TelemetryResult, telemetry_router


def build_app(settings: IotSettings) -> FastAPI:
    """The app with every route of the devices."""
    services = Services(settings)
    return create_app(
        settings.service,
        settings,
        [devices_router(services), telemetry_router(services)],
        upstreams=services.all,
        answers=[DeviceState, TelemetryResult, ReadingIn],
    )
