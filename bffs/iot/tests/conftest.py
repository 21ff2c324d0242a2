"""The IoT BFF on a real socket in front of fake upstreams on another."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from trivium_common.app.testing import Call, FakeUpstreams, edge_headers, serve_app
from trivium_iot.app import build_app
from trivium_iot.settings import IotSettings

DEVICE = {
    "id": "d1",
    "owner_id": "u1",
    "model": "Trivium Climate 2",
    "serial_number": "TRV-TH-100037",
    "online": True,
    "state": {"target_celsius": 20.5, "mode": "heat"},
    "location": {"room": "Kitchen"},
}
READINGS = [
    {"device_id": "d1", "metric": "temperature", "value": 20.25, "at": "2026-11-01T10:00:00Z"},
    {"device_id": "d1", "metric": "temperature", "value": 21, "at": "2026-11-01T10:15:00Z"},
]


def store(call: Call) -> object:
    """The telemetry service: takes every reading but those above 1000."""
    results = []
    for item in json.loads(call.body)["items"]:
        if item["value"] > 1000:
            results.append({"status": "rejected", "detail": "too hot"})
        elif item["value"] == 0:
            results.append({"status": "duplicate"})
        else:
            results.append({"status": "accepted"})
    return {"items": results}


@pytest.fixture
def upstreams() -> FakeUpstreams:
    return FakeUpstreams(
        answers={
            "GET /devices/devices/d1": DEVICE,
            "GET /telemetry/readings/latest": {"items": READINGS},
            "POST /telemetry/readings": store,
        }
    )


@pytest.fixture
async def device(upstreams: FakeUpstreams) -> AsyncIterator[httpx.AsyncClient]:
    """Device d1, asking the BFF as the edge would."""
    async with serve_app(upstreams) as url:
        settings = IotSettings(
            breaker_base_wait_s=60.0, devices_url=f"{url}/devices", telemetry_url=f"{url}/telemetry"
        )
        async with (
            serve_app(build_app(settings)) as bff,
            httpx.AsyncClient(base_url=bff, trust_env=False, headers=edge_headers("iot", "d1")) as client,
        ):
            yield client
