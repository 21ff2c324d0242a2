"""A device reads its own state, in few bytes, with or without the telemetry service."""

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, Fault, edge_headers


async def test_a_device_sees_its_state_and_latest_reading_and_nothing_else(device: httpx.AsyncClient) -> None:
    response = await device.get("/devices/d1")

    assert response.json() == {
        "id": "d1",
        "online": True,
        "state": {"target_celsius": 20.5, "mode": "heat"},
        "reading": {"metric": "temperature", "value": 21.0, "at": "2026-11-01T10:15:00Z"},
    }
    assert response.headers["x-completeness"] == "complete"


async def test_a_device_without_readings_is_complete(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.answers["GET /telemetry/readings/latest"] = {"items": []}

    response = await device.get("/devices/d1")

    assert response.json()["reading"] is None
    assert response.headers["x-completeness"] == "complete"


async def test_another_device_is_forbidden_before_anything_is_asked(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    response = await device.get("/devices/d2", headers={"x-user-id": "d2"})

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert upstreams.calls == []


@pytest.mark.parametrize("fault", [500, 503, "garbage", "hang"])
async def test_without_the_telemetry_service_the_state_still_comes_and_says_what_is_missing(
    device: httpx.AsyncClient, upstreams: FakeUpstreams, fault: Fault
) -> None:
    upstreams.faults["telemetry"] = fault

    response = await device.get("/devices/d1", headers={"x-request-timeout-ms": "1000"})

    assert response.status_code == 200
    assert response.headers["x-completeness"] == "partial"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["_missing"] == ["reading"]
    assert response.json()["state"]["mode"] == "heat"
    assert "reading" not in response.json()


async def test_without_the_devices_service_there_is_no_answer_and_the_node_is_not_to_blame(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["devices"] = 503

    response = await device.get("/devices/d1")

    assert (response.status_code, response.headers["x-trivium-origin"]) == (503, "upstream")


@pytest.mark.parametrize(
    "headers",
    [edge_headers("mobile", "d1"), edge_headers("iot", "d1", lifetime_s=-60), {"x-edge-identity": "forged"}],
    ids=["audience", "expired", "forged"],
)
async def test_an_invalid_identity_is_refused(device: httpx.AsyncClient, headers: dict[str, str]) -> None:
    for response in (
        await device.get("/devices/d1", headers=headers),
        await device.post("/telemetry", headers=headers, json={}),
    ):
        assert (response.status_code, response.json()["code"]) == (401, "edge_identity_required")
