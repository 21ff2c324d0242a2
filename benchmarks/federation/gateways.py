"""The gateways that are compared: how each is installed and started. Peers come from npm into a cache folder."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_PACKAGES = {
    "graphql": "^16.11.0",
    "@apollo/gateway": "^2.11.0",
    "@apollo/server": "^5.0.0",
    "@as-integrations/express5": "^1.1.0",
    "express": "^5.1.0",
    "@graphql-hive/gateway": "^2.0.0",
    "@graphql-hive/router-runtime": "^1.0.0",
}


@dataclass(frozen=True, slots=True)
class Gateway:
    """One contender. `command` may hold {supergraph} and {port}."""

    name: str
    command: tuple[str, ...]
    health: str
    version: str
    is_ours: bool = False


def install_peers(cache: Path) -> None:
    """Install the peers unless the folder has them in these ranges."""
    cache.mkdir(parents=True, exist_ok=True)
    package = json.dumps(
        {"name": "peers", "private": True, "type": "module", "dependencies": _PACKAGES}, indent=2
    )
    file = cache / "package.json"
    if file.exists() and file.read_text() == package and (cache / "node_modules/graphql").is_dir():
        return
    file.write_text(package)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=cache, check=True)


def known_gateways(cache: Path) -> list[Gateway]:
    """Ours and the peers."""
    serve = (
        sys.executable,
        "-m",
        "trivium_federation",
        "serve",
        "--supergraph",
        "{supergraph}",
        "--port",
        "{port}",
    )
    hive = str(cache / "node_modules/.bin/hive-gateway")
    hive_command = ("node", hive, "supergraph", "{supergraph}", "--port", "{port}", "--fork", "1")
    return [
        Gateway("trivium", serve, "/health", _our_version(), is_ours=True),
        Gateway("trivium-interpreted", (*serve, "--interpret-only"), "/health", _our_version(), is_ours=True),
        Gateway(
            "apollo",
            ("node", str(HERE / "apollo.mjs"), "{supergraph}", "{port}"),
            "/health",
            _npm_version(cache, "@apollo/gateway"),
        ),
        Gateway(
            "hive-rust-planner",
            (*hive_command, "--hive-router-runtime"),
            "/healthcheck",
            _npm_version(cache, "@graphql-hive/gateway"),
        ),
    ]


def _npm_version(cache: Path, package: str) -> str:
    version: str = json.loads((cache / "node_modules" / package / "package.json").read_text())["version"]
    return version


def _our_version() -> str:
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True)
    return found.stdout.strip() or os.environ.get("VERSION", "unknown")
