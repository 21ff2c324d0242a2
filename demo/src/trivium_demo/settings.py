"""Settings of one upstream, read from the environment once at start. A wrong value is one line, never a traceback."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

DEFAULT_PORTS: Final[Mapping[str, int]] = {
    "users": 4001,
    "products": 4002,
    "orders": 4003,
    "devices": 4004,
    "telemetry": 4005,
    "reviews": 4006,
    "inventory": 4007,
    "identity": 4100,
}

D = TypeVar("D", bool, None)

_SWITCH: Final[Mapping[str, bool]] = {
    "on": True,
    "1": True,
    "true": True,
    "off": False,
    "0": False,
    "false": False,
}


class StartFailure(Exception):
    """The process cannot start; each line says what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Settings:
    """What one upstream process runs with."""

    service: str
    host: str
    port: int
    is_production: bool
    data_dir: Path
    has_control: bool
    logs_requests: bool
    logs_as_text: bool | None
    identity_issuer: str | None


def load_settings(service: str, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of `service`.

    Raises: StartFailure with one line for each wrong value.
    """
    faults: list[str] = []
    is_production = _read_choice(
        environ, "TRIVIUM_ENV", {"development": False, "production": True}, False, faults
    )
    settings = Settings(
        service=service,
        host=environ.get("TRIVIUM_HOST", "127.0.0.1"),
        port=_read_port(environ, DEFAULT_PORTS[service], faults),
        is_production=is_production,
        data_dir=Path(environ.get("TRIVIUM_DATA_DIR", ".trivium/demo")),
        has_control=_read_choice(environ, "TRIVIUM_CONTROL", _SWITCH, not is_production, faults),
        logs_requests=_read_choice(environ, "TRIVIUM_LOG_REQUESTS", _SWITCH, False, faults),
        logs_as_text=_read_choice(environ, "TRIVIUM_LOG", {"json": False, "text": True}, None, faults),
        identity_issuer=environ.get("TRIVIUM_IDENTITY_ISSUER"),
    )
    if faults:
        raise StartFailure(*faults)
    return settings


def _read_port(environ: Mapping[str, str], default: int, faults: list[str]) -> int:
    text = environ.get("TRIVIUM_PORT", str(default))
    if text.isascii() and text.isdigit() and int(text) <= 65_535:
        return int(text)
    faults.append(f"TRIVIUM_PORT: found {text!r}, expected a port from 0 to 65535 (0 takes a free one)")
    return default


def _read_choice(
    environ: Mapping[str, str], name: str, choices: Mapping[str, bool], default: D, faults: list[str]
) -> bool | D:
    text = environ.get(name)
    if text is None:
        return default
    if text.lower() in choices:
        return choices[text.lower()]
    faults.append(f"{name}: found {text!r}, expected one of {', '.join(choices)}")
    return default
