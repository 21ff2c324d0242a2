"""Each fault, proven over a real connection."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

BOUND_S = 10


@pytest.fixture
def victim(devices: Any) -> Iterator[Any]:
    """An upstream whose faults are cleared afterwards."""
    yield devices
    assert devices.client.delete("/_control").json()["hang"] is False


def _set(victim: Any, **plan: Any) -> None:
    assert victim.client.post("/_control", json=plan).status_code == 200


def test_latency_is_added(victim: Any) -> None:
    _set(victim, latency_ms=300)
    started_s = time.monotonic()
    assert victim.get("/devices/d1")["id"] == "d1"
    assert 0.3 <= time.monotonic() - started_s < BOUND_S


def test_hanging_upstream_never_answers_and_others_are_served(victim: Any, users: Any) -> None:
    _set(victim, hang=True)
    with pytest.raises(httpx2.ReadTimeout):
        victim.client.get("/devices/d1", timeout=0.3)
    assert users.get("/users/u1")["id"] == "u1"
    assert victim.get("/readyz")["status"] == "ok"
    victim.client.delete("/_control")
    assert victim.get("/devices/d1")["id"] == "d1"


def test_error_rate_of_one_fails_every_request(victim: Any) -> None:
    _set(victim, error_rate=1.0, error_status=503)
    for _ in range(5):
        response = victim.client.get("/devices/d1")
        assert (response.status_code, response.json()["code"]) == (503, "injected_fault")


def test_truncated_body_is_shorter_than_announced(victim: Any) -> None:
    _set(victim, truncate=True)
    with victim.client.stream("GET", "/devices/d1") as response:
        assert response.status_code == 200
        with pytest.raises(httpx2.RemoteProtocolError):
            response.read()


def test_reset_breaks_the_connection(victim: Any) -> None:
    _set(victim, reset=True)
    with pytest.raises(httpx2.ReadError) as caught:
        victim.client.get("/devices/d1")
    assert "reset" in str(caught.value).lower()


def test_garbage_is_no_json(victim: Any) -> None:
    _set(victim, garbage=True)
    response = victim.client.get("/devices/d1")
    assert response.status_code == 200
    with pytest.raises(ValueError):
        json.loads(response.content)


def test_faults_act_on_the_chosen_paths(victim: Any) -> None:
    _set(victim, error_rate=1.0, paths="/twin$")
    assert victim.client.get("/devices/d1/twin").status_code == 500
    assert victim.client.get("/devices/d1").status_code == 200


def test_probes_and_control_are_never_affected(victim: Any) -> None:
    _set(victim, reset=True, hang=True, error_rate=1.0, latency_ms=60_000)
    for path in ("/livez", "/readyz", "/health"):
        assert victim.get(path)["status"] == "ok"
    assert victim.get("/_control")["latency_ms"] == 60_000


def test_subgraphs_fail_the_same_way(inventory: Any) -> None:
    inventory.client.post("/_control", json={"error_rate": 1})
    assert inventory.client.post("/graphql", json={"query": "{ warehouses }"}).status_code == 500
    inventory.client.delete("/_control")
    assert inventory.ask("{ warehouses }")["data"]["warehouses"]


@pytest.mark.parametrize(
    "plan", [{"latency": 1}, {"error_rate": 2}, {"error_status": 200}, {"paths": "["}, []]
)
def test_wrong_plan_is_refused_and_changes_nothing(victim: Any, plan: Any) -> None:
    response = victim.client.post("/_control", json=plan)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")
    assert victim.client.get("/devices/d1").status_code == 200


def test_control_takes_json_only(victim: Any) -> None:
    """What a web page can send without a preflight is refused."""
    response = victim.client.post(
        "/_control", content=b'{"hang": true}', headers={"Content-Type": "text/plain"}
    )
    assert response.status_code == 415


def test_control_by_a_foreign_name_is_refused(victim: Any) -> None:
    """DNS rebinding: a page's own name may resolve to this machine."""
    response = victim.client.post("/_control", json={"hang": True}, headers={"Host": "evil.example"})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_forwarded_address_does_not_pass_for_the_peer(victim: Any) -> None:
    response = victim.client.get("/_control", headers={"X-Forwarded-For": "203.0.113.9"})
    assert response.status_code == 200
