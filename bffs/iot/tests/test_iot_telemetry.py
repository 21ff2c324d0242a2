"""Readings: one or many, a result for each, nothing acknowledged that was not stored."""

import json
from typing import Any

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, Fault

READING = {"metric": "temperature", "value": 21.5, "at": "2026-11-01T12:00:00+02:00"}
ACCEPTED = {"status": "accepted"}


def sent(upstreams: FakeUpstreams) -> list[dict[str, Any]]:
    return [item for call in upstreams.calls_to("telemetry") for item in json.loads(call.body)["items"]]


async def test_one_reading_is_stored_as_the_callers_own_in_utc(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    response = await device.post("/telemetry", json=READING)

    assert response.status_code == 202
    assert response.json() == {"accepted": 1, "items": [ACCEPTED]}
    assert sent(upstreams) == [
        {"device_id": "d1", "metric": "temperature", "value": 21.5, "at": "2026-11-01T10:00:00Z"}
    ]


async def test_a_batch_with_bad_items_keeps_the_good_ones_and_says_which_is_which(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    items = [
        READING,
        {**READING, "value": "hot"},
        {**READING, "device_id": "d2"},
        {**READING, "value": 5000},
        {**READING, "at": "2026-11-01T12:00:00"},
        {**READING, "metric": "Bad Metric"},
        {**READING, "extra": 1},
        7,
        {**READING, "device_id": "d1", "value": 22},
    ]

    response = await device.post("/telemetry", json={"items": items})

    assert response.status_code == 202
    results = response.json()["items"]
    assert [result["status"] for result in results] == ["accepted", *["rejected"] * 7, "accepted"]
    assert [result.get("code") for result in results[1:3]] == ["invalid_input", "forbidden"]
    assert results[3] == {"status": "rejected", "code": "invalid_input", "detail": "too hot"}
    assert response.json()["accepted"] == 2
    assert [item["value"] for item in sent(upstreams)] == [21.5, 5000, 22.0]


async def test_a_reading_sent_again_is_acknowledged_as_a_duplicate(device: httpx.AsyncClient) -> None:
    response = await device.post("/telemetry", json={**READING, "value": 0})

    assert response.json() == {"accepted": 1, "items": [{"status": "duplicate"}]}


async def test_a_reading_of_another_device_is_forbidden_and_not_forwarded(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    one = await device.post("/telemetry", json={**READING, "device_id": "d2"})
    many = await device.post("/telemetry", json={"items": [{**READING, "device_id": "d2"}] * 2})

    assert (one.status_code, many.status_code) == (403, 403)
    assert [item["code"] for item in many.json()["items"]] == ["forbidden", "forbidden"]
    assert upstreams.calls == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_request"),
        (b"[1]", 400, "bad_request"),
        (b"\xff\xfe", 400, "bad_request"),
        (b'{"items": 1}', 400, "bad_request"),
        (b'{"items": ' + b"[" * 10_000, 400, "bad_request"),
        (b"{}", 422, "invalid_input"),
        (b'{"items": []}', 422, "invalid_input"),
        (b'{"metric": "t", "value": 1e999, "at": "2026-11-01T12:00:00Z"}', 422, "invalid_input"),
        (b'{"metric": "t\\u000a", "value": 1, "at": "2026-11-01T12:00:00Z"}', 422, "invalid_input"),
        (b'{"items": [' + b"{}," * 500 + b"{}]}", 413, "body_too_large"),
        (b'{"items": [' + b"{}," * 100_000 + b"{}]}", 413, "body_too_large"),
    ],
    ids=[
        "empty",
        "array",
        "bytes",
        "items",
        "deep",
        "fields",
        "none",
        "infinite",
        "newline",
        "501",
        "100001",
    ],
)
async def test_a_body_of_which_nothing_can_be_kept_is_refused(
    device: httpx.AsyncClient, upstreams: FakeUpstreams, body: bytes, status: int, code: str
) -> None:
    response = await device.post("/telemetry", content=body)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert upstreams.calls == []


async def test_no_content_type_means_json_and_another_one_is_refused(device: httpx.AsyncClient) -> None:
    bare = await device.post("/telemetry", content=json.dumps(READING))
    other = await device.post("/telemetry", content=b"x", headers={"content-type": "text/plain"})

    assert (bare.status_code, other.status_code) == (202, 415)


@pytest.mark.parametrize("fault", [500, 503, 422, 404, 413, "garbage", "truncate", "hang"])
async def test_what_could_not_be_stored_is_never_acknowledged(
    device: httpx.AsyncClient, upstreams: FakeUpstreams, fault: Fault
) -> None:
    upstreams.faults["telemetry"] = fault

    response = await device.post("/telemetry", json=READING, headers={"x-request-timeout-ms": "1000"})

    assert (response.status_code, response.json()["code"]) == (503, "upstream_unavailable")
    assert int(response.headers["retry-after"]) >= 1
    assert response.headers["x-trivium-origin"] == "upstream"


async def test_a_service_that_forgets_an_item_is_not_believed(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.answers["POST /telemetry/readings"] = {"items": [ACCEPTED]}

    response = await device.post("/telemetry", json={"items": [READING, READING]})

    assert response.status_code == 503


async def test_while_telemetry_hangs_devices_still_read_their_state(
    device: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["telemetry"] = "hang"
    for _ in range(3):
        await device.post("/telemetry", json=READING, headers={"x-request-timeout-ms": "1000"})

    refused = await device.post("/telemetry", json=READING)
    state = await device.get("/devices/d1")

    assert refused.status_code == 503
    assert (state.status_code, state.headers["x-completeness"]) == (200, "partial")
    assert len(upstreams.calls_to("telemetry")) == 3


async def test_the_openapi_document_describes_both_forms_of_the_body(device: httpx.AsyncClient) -> None:
    document = (await device.get("/openapi.json")).json()

    operation = document["paths"]["/telemetry"]["post"]
    assert len(operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"]) == 2
    assert operation["responses"]["202"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "TelemetryResult"
    )
    assert "ReadingIn" in document["components"]["schemas"]
