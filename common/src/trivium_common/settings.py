"""Settings from the environment: read once at start, refused with one line for each fault."""

import sys
from enum import StrEnum
from typing import TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EXIT_CONFIGURATION = 2


class Environment(StrEnum):
    """Where the process runs; production refuses what is only good for development."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How log lines look; unset means text on a terminal and JSON elsewhere."""

    JSON = "json"
    TEXT = "text"


class CommonSettings(BaseSettings):
    """What every process reads: TRIVIUM_ENV, TRIVIUM_HOST, TRIVIUM_PORT, TRIVIUM_LOG."""

    model_config = SettingsConfigDict(env_prefix="TRIVIUM_", frozen=True, extra="ignore")

    env: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    log: LogFormat | None = None

    @property
    def is_production(self) -> bool:
        """Whether development keys, open introspection and the like are refused."""
        return self.env is Environment.PRODUCTION


S = TypeVar("S", bound=BaseSettings)


def describe_faults(error: ValidationError, prefix: str = "TRIVIUM_") -> list[str]:
    """One line for each wrong setting: its name, what was found, what was expected."""
    lines = []
    for fault in error.errors(include_url=False):
        name = prefix + "_".join(str(part) for part in fault["loc"]).upper()
        if fault["type"] == "missing":
            lines.append(f"{name}: is not set and has no default")
        else:
            lines.append(f"{name}: {fault['msg']} (found {fault['input']!r})")
    return lines


def exit_with(*lines: str) -> "SystemExit":
    """Print each line to stderr and return the exit to raise: `raise exit_with("TRIVIUM_PORT: ...")`."""
    for line in lines:
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - logging is not set up yet
    return SystemExit(EXIT_CONFIGURATION)


def load_settings(cls: type[S]) -> S:
    """Read `cls` from the environment, or leave the process with exit code 2 and a line for each fault."""
    try:
        return cls()
    except ValidationError as error:
        raise exit_with(*describe_faults(error, cls.model_config.get("env_prefix", ""))) from None
