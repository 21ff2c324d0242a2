"""A92: a device reaches no other device, a person no other person's things, by no spelling of the path."""

import httpx
import pytest
from raw_client import connect
from running_stack import RunningStack


@pytest.mark.parametrize(
    "target",
    [
        "/api/iot/devices/d2",
        "/api/iot/devices/d%32",
        "/api/iot/devices/d1/../d2",
        "/api/iot/devices/d1/%2e%2e/d2",
        "/api/iot//devices//d2",
        "/api/iot/devices/d2?device_id=d1&owner=d1",
        "/api/iot/devices/D1",
    ],
)
def test_a_device_reads_no_other_device(stack: RunningStack, target: str) -> None:
    port = httpx.URL(stack.url("edge")).port
    assert port is not None
    key = stack.authorize("iot")["X-API-Key"]
    with connect(port) as client:
        client.send(
            f"GET {target} HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\nX-User-ID: d2\r\nX-Device-ID: d2\r\n\r\n".encode()
        )
        answer = client.read()
    assert answer is not None
    assert answer.status in (400, 403, 404)
    assert b'"d2"' not in answer.body


def test_a_device_writes_no_other_devices_readings(stack: RunningStack, edge: httpx.Client) -> None:
    """Alone it is refused, in a batch it is refused while its own reading is kept."""
    headers = stack.authorize("iot")

    def reading(device_id: str) -> dict[str, object]:
        return {"device_id": device_id, "metric": "temperature", "value": 666.0, "at": "2026-11-25T00:00:00Z"}

    alone = edge.post("/api/iot/telemetry", json=reading("d2"), headers=headers)
    assert alone.status_code == 403
    with stack.connect("telemetry") as telemetry:
        readings = telemetry.get("/readings", params={"device_id": "d2", "limit": 100}).json()["items"]
    assert 666.0 not in [one["value"] for one in readings]


def test_a_person_reads_nobody_elses_orders(
    stack: RunningStack, edge: httpx.Client, linus: dict[str, dict[str, str]]
) -> None:
    """On the phone and in the browser an order of ada's does not exist for linus; hers are there for her."""
    ada = stack.authorize("mobile")
    order_id = edge.get("/api/mobile/orders", params={"limit": 1}, headers=ada).json()["items"][0]["id"]
    assert edge.get(f"/api/mobile/orders/{order_id}", headers=ada).status_code == 200
    assert edge.get(f"/api/mobile/orders/{order_id}", headers=linus["mobile"]).status_code == 404
    for parameters in ({"user_id": "u1"}, {"user_ids": "u1"}):
        listed = edge.get("/api/mobile/orders", params=parameters, headers=linus["mobile"])
        assert order_id not in listed.text

    body = {"query": "query ($id: ID!) { order(id: $id) { id } }", "variables": {"id": order_id}}
    mine = edge.post("/api/web/graphql", json=body, headers=stack.authorize("web")).json()
    theirs = edge.post("/api/web/graphql", json=body, headers=linus["web"]).json()
    assert mine == {"data": {"order": {"id": order_id}}}
    assert (theirs["data"] or {}).get("order") is None
