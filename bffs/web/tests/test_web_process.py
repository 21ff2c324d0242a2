"""`python -m trivium_web` as its team and the stack run it."""

import json
import signal
import subprocess
import sys

import httpx


def test_the_process_serves_alone_and_ends_with_zero() -> None:
    environment = {"TRIVIUM_PORT": "0"}
    command = [sys.executable, "-m", "trivium_web"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            port = json.loads(process.stderr.readline())["port"]
            live = httpx.get(f"http://127.0.0.1:{port}/livez", trust_env=False)
            refused = httpx.get(f"http://127.0.0.1:{port}/graphql", trust_env=False)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)
        finally:
            process.kill()

    assert (live.status_code, refused.status_code, process.returncode) == (200, 401, 0)
