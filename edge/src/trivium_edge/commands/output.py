"""Loading a configuration for a command, and saying so when it does not hold."""

import os
import sys
from collections.abc import Sequence

from trivium_edge.config.load import LoadedConfig, load_config
from trivium_edge.config.positions import ConfigInvalid, Fault

EXIT_REFUSED = 2
EXIT_FAILED = 1


class Refused(Exception):
    """The configuration does not hold; everything was said already."""


def load_or_refuse(path: str) -> LoadedConfig:
    """The configuration of a file.

    Raises: Refused, after printing every fault.
    """
    try:
        return load_config(path, os.environ)
    except ConfigInvalid as invalid:
        tell_faults(path, invalid.faults)
        raise Refused from None


def tell_faults(path: str, faults: Sequence[Fault]) -> None:
    """Print each fault on a line, and how many there were."""
    for fault in faults:
        complain(str(fault))
    complain(f"{path}: {count(len(faults), 'fault')}; the configuration is refused")


def say(line: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(f"{line}\n")


def complain(line: str) -> None:
    """Print a line about what is wrong."""
    sys.stderr.write(f"{line}\n")


def count(number: int, what: str) -> str:
    """`1 route`, `2 routes`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
