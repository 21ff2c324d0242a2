"""`run_app` as a real process: it serves, stops cleanly, and says in one line why it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, str(Path(__file__).with_name("sample_process.py"))]


@contextmanager
def start(**environment: str) -> Iterator[subprocess.Popen[str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TRIVIUM_")}
    process = subprocess.Popen(COMMAND, env={**clean, **environment}, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_port(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    line = json.loads(process.stderr.readline())
    assert line["message"] == "serving"
    return int(line["port"])


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_logs_json_lines_and_ends_with_zero_when_told_to_stop(stop: signal.Signals) -> None:
    with start() as process:
        live = httpx.get(f"http://127.0.0.1:{wait_port(process)}/livez", trust_env=False)
        process.send_signal(stop)
        _, logged = process.communicate(timeout=10)

    assert live.status_code == 200
    assert "server" not in live.headers
    assert process.returncode == 0
    assert [json.loads(line)["message"] for line in logged.splitlines()] == ["stopping", "stopped"]


def test_a_port_in_use_is_one_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with start(TRIVIUM_PORT=port) as process:
            _, logged = process.communicate(timeout=10)

    assert process.returncode == 2
    assert logged.count("\n") == 1
    assert logged.startswith("TRIVIUM_PORT: cannot listen on 127.0.0.1:" + port)


@pytest.mark.parametrize(
    ("environment", "setting"),
    [
        ({"TRIVIUM_PORT": "many"}, "TRIVIUM_PORT"),
        ({"TRIVIUM_ENV": "production"}, "TRIVIUM_EDGE_PUBLIC_KEYS"),
        ({"TRIVIUM_EDGE_PUBLIC_KEYS": "/nowhere.json"}, "TRIVIUM_EDGE_PUBLIC_KEYS"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(environment: dict[str, str], setting: str) -> None:
    with start(**environment) as process:
        _, logged = process.communicate(timeout=10)

    assert process.returncode == 2
    assert logged.count("\n") == 1
    assert logged.startswith(setting + ": ")
