"""The services behind the IoT BFF: which calls exist, and which fields of their answers a device needs."""

from datetime import datetime
from typing import Literal

import msgspec

from trivium_common.upstream.client import Upstream, segment
from trivium_iot.settings import IotSettings


class Device(msgspec.Struct, frozen=True):
    """A device as the devices service knows it. `state` differs by model and passes through unread."""

    id: str
    online: bool
    state: msgspec.Raw


class Reading(msgspec.Struct, frozen=True):
    """One measured value."""

    metric: str
    value: float
    at: str


class StoredReading(msgspec.Struct, frozen=True):
    """A reading on its way to the telemetry service."""

    device_id: str
    metric: str
    value: float
    at: datetime


class ItemResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one reading of a batch: "duplicate" was stored before; `code` and `detail` say why not."""

    status: Literal["accepted", "duplicate", "rejected"]
    code: str | None = None
    detail: str | None = None


class _Readings(msgspec.Struct, frozen=True):
    items: list[Reading]


class _Results(msgspec.Struct, frozen=True):
    items: list[ItemResult]


class Services:
    """The clients of one process. `all` is for closing them and for /readyz."""

    def __init__(self, settings: IotSettings) -> None:
        breaker = settings.breaker_policy
        self.devices = Upstream("devices", settings.devices_url, breaker=breaker)
        self.telemetry = Upstream("telemetry", settings.telemetry_url, breaker=breaker)
        self.all = (self.devices, self.telemetry)

    async def find_device(self, device_id: str) -> Device:
        """One device; raises NotFound."""
        return await self.devices.get(f"/devices/{segment(device_id)}", type=Device)

    async def find_latest_reading(self, device_id: str, timeout_s: float) -> Reading | None:
        """The newest reading of a device, None when it has never sent one."""
        page = await self.telemetry.get(
            "/readings/latest", type=_Readings, params={"device_id": device_id}, timeout_s=timeout_s
        )
        return max(page.items, key=lambda reading: reading.at, default=None)

    async def store_readings(self, readings: list[StoredReading]) -> list[ItemResult]:
        """One result for each reading, in order."""
        results = await self.telemetry.post("/readings", type=_Results, json={"items": readings})
        return results.items
