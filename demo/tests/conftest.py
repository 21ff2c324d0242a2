"""All eight upstreams, each a process of its own on a free port, started together once for the session."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

NAMES = ("users", "products", "orders", "devices", "telemetry", "reviews", "inventory", "identity")


@dataclass
class Upstream:
    """A running upstream."""

    name: str
    process: subprocess.Popen[str]
    port: int
    client: httpx2.Client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of a GET that must succeed."""
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def ask(self, query: str, **variables: Any) -> Any:
        """The whole answer to a GraphQL request."""
        return self.client.post("/graphql", json={"query": query, "variables": variables}).json()


def start(name: str, data_dir: Path, **environment: str) -> subprocess.Popen[str]:
    """Start an upstream on a free port."""
    return subprocess.Popen(
        [sys.executable, "-m", "trivium_demo", name],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("TRIVIUM_")},
            "TRIVIUM_PORT": "0",
            "TRIVIUM_DATA_DIR": str(data_dir),
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_listening(process: subprocess.Popen[str]) -> int:
    """The port, as soon as the process says that it listens."""
    assert process.stderr is not None
    for line in process.stderr:
        event = json.loads(line)
        if event["message"] == "listening":
            return int(event["port"])
    raise AssertionError(f"ended with {process.wait()} before it listened")


def stop(process: subprocess.Popen[str]) -> int:
    """End the process and return its exit code."""
    process.terminate()
    try:
        return process.wait(timeout=20)
    finally:
        process.kill()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def start_upstream() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts upstreams that end with the test."""
    started: list[subprocess.Popen[str]] = []

    def start_one(name: str, data_dir: Path, **environment: str) -> subprocess.Popen[str]:
        started.append(start(name, data_dir, **environment))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def wait_port() -> Callable[[subprocess.Popen[str]], int]:
    return wait_listening


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def stack(data_dir: Path) -> Iterator[dict[str, Upstream]]:
    processes = {name: start(name, data_dir) for name in NAMES}
    upstreams = {}
    try:
        for name, process in processes.items():
            port = wait_listening(process)
            client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False)
            upstreams[name] = Upstream(name, process, port, client)
        yield upstreams
    finally:
        for upstream in upstreams.values():
            upstream.client.close()
        for process in processes.values():
            process.terminate()
        codes = {name: stop(process) for name, process in processes.items()}
    assert codes == dict.fromkeys(NAMES, 0)


@pytest.fixture
def users(stack: dict[str, Upstream]) -> Upstream:
    return stack["users"]


@pytest.fixture
def products(stack: dict[str, Upstream]) -> Upstream:
    return stack["products"]


@pytest.fixture
def orders(stack: dict[str, Upstream]) -> Upstream:
    return stack["orders"]


@pytest.fixture
def devices(stack: dict[str, Upstream]) -> Upstream:
    return stack["devices"]


@pytest.fixture
def telemetry(stack: dict[str, Upstream]) -> Upstream:
    return stack["telemetry"]


@pytest.fixture
def reviews(stack: dict[str, Upstream]) -> Upstream:
    return stack["reviews"]


@pytest.fixture
def inventory(stack: dict[str, Upstream]) -> Upstream:
    return stack["inventory"]


@pytest.fixture
def identity(stack: dict[str, Upstream]) -> Upstream:
    return stack["identity"]
