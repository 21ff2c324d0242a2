"""The table of processes that make up a stack. A new process is one line here.

Nothing here imports a deployable: each is started as `python -m`.
"""

import importlib.util
import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from trivium_cli.errors import Refused

MAX_PORT = 65535


class Tier(IntEnum):
    """Who stands in front of whom. A stack stops from the front, so that nobody calls what is gone."""

    EDGE = 0
    BFF = 1
    UPSTREAM = 2
    STORE = 3


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the table: what to start, which ports it takes, and where it says that it is ready.

    `module` follows `python -m` (a `{config}` in it becomes the path of gateway.yaml). `ports` are the defaults;
    the first one is where it serves. `ready_port` is among them.
    """

    name: str
    module: tuple[str, ...]
    ports: tuple[int, ...]
    tier: Tier
    ready_port: int

    @property
    def port(self) -> int:
        """The default of the port that it serves on."""
        return self.ports[0]

    @property
    def package(self) -> str:
        """The distribution's import name, empty for the store."""
        return self.module[0] if self.module else ""


def _demo(name: str, port: int) -> Process:
    return Process(name, ("trivium_demo", name), (port,), Tier.UPSTREAM, port)


def _bff(name: str, port: int) -> Process:
    return Process(name, (f"trivium_{name}",), (port,), Tier.BFF, port)


VALKEY = Process("valkey", (), (6379,), Tier.STORE, 6379)
EDGE_PORT, EDGE_TLS_PORT, EDGE_ADMIN_PORT, EDGE_STATUS_PORT, EDGE_METRICS_PORT = 8000, 8443, 8001, 8100, 9091

# In the order of start: on few cores what others wait for goes first.
PROCESSES: tuple[Process, ...] = (
    VALKEY,
    _demo("identity", 4100),
    _bff("web", 3000),
    _bff("mobile", 3001),
    _bff("iot", 3002),
    Process(
        "edge",
        ("trivium_edge", "run", "--config", "{config}"),
        (EDGE_PORT, EDGE_ADMIN_PORT, EDGE_STATUS_PORT, EDGE_METRICS_PORT),
        Tier.EDGE,
        EDGE_STATUS_PORT,
    ),
    _demo("users", 4001),
    _demo("products", 4002),
    _demo("orders", 4003),
    _demo("devices", 4004),
    _demo("telemetry", 4005),
    _demo("reviews", 4006),
    _demo("inventory", 4007),
)
NAMES = tuple(process.name for process in PROCESSES)
BY_NAME = {process.name: process for process in PROCESSES}
RELOADABLE = tuple(process.name for process in PROCESSES if process.tier is Tier.BFF)
MAX_PORT_BASE = MAX_PORT - max(port for process in PROCESSES for port in process.ports)


def select_processes(left_out: tuple[str, ...]) -> tuple[Process, ...]:
    """The table without `left_out`.

    Raises: Refused, for a name that is not in it and for a package that is not installed.
    """
    for name in left_out:
        if name not in NAMES:
            raise Refused(f"--except {name}: there is no such process; choose from {', '.join(NAMES)}")
    chosen = tuple(process for process in PROCESSES if process.name not in left_out)
    for process in chosen:
        if process.package and importlib.util.find_spec(process.package) is None:
            raise Refused(
                f"{process.package} is not installed for {sys.executable}; "
                f"run `make install`, or leave it out: --except {process.name}"
            )
    return chosen


def find_source(process: Process) -> Path:
    """The folder with the source of a process's package, found without importing it."""
    spec = importlib.util.find_spec(process.package)
    if spec is None or not spec.submodule_search_locations:
        raise Refused(f"--reload {process.name}: {process.package} is not installed; run `make install`")
    return Path(spec.submodule_search_locations[0])
