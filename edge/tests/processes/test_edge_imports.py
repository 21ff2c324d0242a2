"""The worker loads nothing that it does not need for a request."""

import json
import subprocess
import sys

import pytest

UNWANTED = [
    "authlib",
    "fastapi",
    "graphql",
    "httpcore",
    "httpx",
    "prometheus_client",
    "starlette",
    "strawberry",
    "uvicorn",
    "watchfiles",
    "yaml",
]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Every module that a worker has loaded before its first request."""
    script = "import json, sys, trivium_edge.worker.__main__, trivium_edge.worker.worker; print(json.dumps(list(sys.modules)))"
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, timeout=60
    ).stdout
    return set(json.loads(printed))


@pytest.mark.parametrize("package", UNWANTED)
def test_a_worker_does_not_load(loaded: set[str], package: str) -> None:
    assert package not in loaded
    assert "trivium_edge.proxy.proxy" in loaded
