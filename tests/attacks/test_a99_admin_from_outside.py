"""A99: the admin API is for who stands on the machine and has its key."""

from pathlib import Path

import httpx
import pytest
from attacked_edge import AttackedEdge
from raw_client import connect

from trivium_common.auth.development import ADMIN_API_KEY

LOOPBACK = "0100007F"
LISTENING = "0A"


@pytest.mark.parametrize("name", ["admin", "status", "metrics"])
def test_operators_ports_are_bound_to_loopback(attacked: AttackedEdge, name: str) -> None:
    """Unless the configuration says otherwise."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    bound = [line[1].split(":") for line in lines if line[3] == LISTENING]
    port = f"{attacked.ports[name]:04X}"
    assert {address for address, found in bound if found == port} == {LOOPBACK}


@pytest.mark.parametrize(
    "path", ["/config", "/decisions/x", "/upstreams", "/reload", "/metrics", "/readyz", "/open/../config"]
)
@pytest.mark.parametrize("host", ["a", "localhost:8001", "127.0.0.1"])
def test_clients_port_does_not_lead_there(attacked: AttackedEdge, path: str, host: str) -> None:
    """Not even with the key."""
    with connect(attacked.ports["proxy"]) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {ADMIN_API_KEY}\r\n\r\n".encode())
        answer = client.read()
    assert answer is not None
    assert answer.status == 404


def test_neither_keys_nor_guesses_are_logged(attacked: AttackedEdge) -> None:
    """A change that is refused leaves an audit line with the key's id, not the key."""
    url = f"http://127.0.0.1:{attacked.ports['admin']}"
    good = httpx.put(f"{url}/routes/x", headers={"X-API-Key": ADMIN_API_KEY}, timeout=30, trust_env=False)
    guess = httpx.put(f"{url}/routes/x", headers={"X-API-Key": "guess-4711"}, timeout=30, trust_env=False)
    assert (good.status_code, guess.status_code) == (409, 401)
    log = str(attacked.log)
    assert [line for line in attacked.log if line["message"] == "audit" and line["admin_key"] == "test"]
    assert ADMIN_API_KEY not in log
    assert "guess-4711" not in log
