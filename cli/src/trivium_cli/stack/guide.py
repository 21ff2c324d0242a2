"""What a person (or a test) needs to use a stack: addresses, credentials, and curl lines that work when pasted."""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trivium_cli.identity import APPS, request_token
from trivium_cli.stack import processes as table
from trivium_cli.stack.console import Console
from trivium_cli.stack.layout import HOST, REDIS_ROLES, Layout
from trivium_cli.stack.processes import Process, Tier

USER = "ada"
DEVICE = "d1"
_EDGE_PORTS = {
    "edge": table.EDGE_PORT,
    "edge_admin": table.EDGE_ADMIN_PORT,
    "edge_status": table.EDGE_STATUS_PORT,
    "edge_metrics": table.EDGE_METRICS_PORT,
}


@dataclass(frozen=True, slots=True)
class Example:
    """One request through the edge: `credential` names one of `Guide.credentials`, or is empty for none."""

    title: str
    path: str
    credential: str
    expect_status: int
    json: str = ""
    needs: str = "edge"
    flags: str = "-s"


EXAMPLES = (
    Example(
        "web: one GraphQL query over users, orders and products",
        "/api/web/graphql",
        "web_token",
        200,
        json='{"query": "{ me { name orders(first: 2) { edges { node { id lines { quantity product { name } } } } } } }"}',
        needs="web",
    ),
    Example(
        "mobile: the home screen, three sources at once, trimmed",
        "/api/mobile/home",
        "mobile_token",
        200,
        needs="mobile",
    ),
    Example("mobile: one product", "/api/mobile/products/p1", "mobile_token", 200, needs="mobile"),
    Example("device: its own state", f"/api/iot/devices/{DEVICE}", "iot_api_key", 200, needs="iot"),
    Example(
        "device: send readings, each is answered for itself",
        "/api/iot/telemetry",
        "iot_api_key",
        202,
        json='{"items": [{"metric": "temperature", "value": 21.5, "at": "2026-01-01T00:00:00Z"}]}',
        needs="iot",
    ),
    Example(
        "refused: a phone's token on the web route", "/api/web/graphql", "mobile_token", 403, flags="-si"
    ),
    Example("refused: no credential", "/api/mobile/home", "", 401, flags="-si"),
)


@dataclass(frozen=True, slots=True)
class Curl:
    """An example as it is printed and as a test runs it."""

    title: str
    command: str
    expect_status: int


class Guide:
    """What is known of a running stack for its users. Tokens are good for an hour, `renew` gets new ones."""

    def __init__(self, layout: Layout, processes: Sequence[Process]) -> None:
        self._layout = layout
        self._names = {process.name for process in processes}
        self._folder = layout.data_dir / "credentials"
        self.credentials: dict[str, str] = {}

    def renew(self) -> None:
        """Ask identity for a token for each app of a person and put it where the curl lines read it.

        Raises: Refused, when identity gives none.
        """
        from trivium_common.auth.development import ADMIN_API_KEY, DEVICE_API_KEYS

        self.credentials["iot_api_key"] = DEVICE_API_KEYS[DEVICE]
        self.credentials["admin_api_key"] = ADMIN_API_KEY
        if "identity" not in self._names:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for client in APPS:
            token = request_token(self._layout.url("identity"), user=USER, client=client)
            self.credentials[f"{client}_token"] = token
            write_private_file(self._folder / client, f"Authorization: Bearer {token}\n")

    @property
    def urls(self) -> dict[str, str]:
        """Every address of the stack by name."""
        layout = self._layout
        urls = {name: f"http://{HOST}:{layout.port(port)}" for name, port in _EDGE_PORTS.items()}
        if "edge" not in self._names:
            urls = {}
        for process in table.PROCESSES:
            if process.tier in (Tier.BFF, Tier.UPSTREAM) and process.name in self._names:
                urls[process.name] = layout.url(process.name)
        for role in REDIS_ROLES:
            urls[f"redis_{role.lower()}"] = layout.redis_url(role)
        return urls

    @property
    def curls(self) -> list[Curl]:
        """The examples that this stack can answer, as commands."""
        return [
            Curl(example.title, self._build_command(example), example.expect_status)
            for example in EXAMPLES
            if {"edge", example.needs} <= self._names
            and (not example.credential or example.credential in self.credentials)
        ]

    def _build_command(self, example: Example) -> str:
        edge = f"http://{HOST}:{self._layout.port(table.EDGE_PORT)}"
        words = [f"curl {example.flags} {edge}{example.path}"]
        if example.credential.endswith("_token"):
            # A file with the header keeps the line short, and right after the token has been renewed.
            words.append(f"-H @{shlex.quote(str(self._folder / example.credential.removesuffix('_token')))}")
        elif example.credential:
            words.append(f"-H 'X-API-Key: {self.credentials[example.credential]}'")
        if example.json:
            words.append(f"-H 'Content-Type: application/json' -d '{example.json}'")
        return " ".join(words)

    def show(self, console: Console) -> None:
        """Print everything, the curl lines last."""
        console.show_table("Addresses", ("what", "where"), list(self.urls.items()))
        rows = []
        for name, value in self.credentials.items():
            if name.endswith("_token"):
                client = name.removesuffix("_token")
                rows.append(
                    (f"{USER} in the {client} app", f"{value[:20]}...", f"header in {self._folder / client}")
                )
            else:
                who = f"device {DEVICE}" if name == "iot_api_key" else "operator at edge_admin"
                rows.append((who, value, "header X-API-Key"))
        console.show_table("Credentials", ("who", "credential", "where"), rows)
        for curl in self.curls:
            console.show_command(curl.title, curl.command)

    def write_ready_file(self, path: Path, pids: Mapping[str, int]) -> None:
        """Everything for programs, written in one step so that no reader sees half of it."""
        document = {
            "urls": self.urls,
            "credentials": self.credentials,
            "curl": [asdict(curl) for curl in self.curls],
            "pids": dict(pids),
        }
        write_private_file(path, json.dumps(document, indent=2))


def write_private_file(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it, since it holds credentials."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
