"""A28: a redirect by an upstream is never followed, neither by the edge nor by a BFF that reads from it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from recording_origin import RecordingOrigin
from running_stack import wait_until

from trivium_common.app.testing import edge_headers


@contextmanager
def running_bff(name: str, upstream: str) -> Iterator[str]:
    """A BFF whose upstreams are all at one address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    services = ("USERS", "PRODUCTS", "ORDERS", "DEVICES", "TELEMETRY", "REVIEWS", "INVENTORY")
    environment = {f"TRIVIUM_{service}_URL": upstream for service in services}
    process = subprocess.Popen(
        [sys.executable, "-m", f"trivium_{name}"],
        env=os.environ | environment | {"TRIVIUM_PORT": str(port), "TRIVIUM_LOG": "json"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_alive(url), f"{name} answers")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def is_alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=5, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("name", "path", "subject", "refusals"),
    [
        ("mobile", "/products/p1", "u1", {502, 503}),
        ("iot", "/devices/d1", "d1", {502, 503}),
        ("web", "/graphql?query={me{name}}", "u1", {200}),
    ],
)
def test_a_bff_does_not_follow_its_upstream_elsewhere(
    name: str, path: str, subject: str, refusals: set[int]
) -> None:
    """The address it was sent to hears nothing, and the client is not told of it."""
    internal = RecordingOrigin()
    lure = RecordingOrigin(redirect=f"{internal.url}/latest/meta-data")
    with running_bff(name, lure.url) as url:
        answer = httpx.get(url + path, headers=edge_headers(name, subject), timeout=30, trust_env=False)
    lure.close()
    internal.close()
    assert lure.requests
    assert internal.requests == []
    assert answer.status_code in refusals
    assert "meta-data" not in answer.text + str(answer.headers)
    if name == "web":
        assert answer.json()["errors"][0]["extensions"]["code"] == "UPSTREAM_FAILED"
