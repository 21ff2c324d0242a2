"""The hot path stays light, whatever packages import what."""

import subprocess
import sys


def test_data_path_loads_no_web_framework_and_no_httpx():
    program = "import trivium_edge.proxy, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "fastapi",
        "starlette",
        "strawberry",
        "graphql",
        "httpx",
        "aiohttp",
        "uvicorn",
        "authlib",
        "redis",
    }
    assert not heavy & set(loaded)
