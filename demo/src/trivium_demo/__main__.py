"""`python -m trivium_demo NAME` starts one upstream."""

import dataclasses
import gc
import importlib
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import cast

from trivium_demo.settings import DEFAULT_PORTS, Settings, StartFailure, load_settings

EXIT_CANNOT_START = 2

_MODULES = {name: f"trivium_demo.services.{name}" for name in DEFAULT_PORTS if name != "identity"} | {
    "identity": "trivium_demo.identity.app"
}


def main(arguments: list[str]) -> int:
    """Start the upstream that `arguments` names, and serve until told to stop."""
    if len(arguments) != 1 or arguments[0] not in _MODULES:
        return _refuse(f"usage: python -m trivium_demo NAME, with NAME one of: {', '.join(_MODULES)}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop_while_starting)
    try:
        _run(load_settings(arguments[0]))
    except StartFailure as failure:
        return _refuse(*failure.lines)
    return 0


def _run(settings: Settings) -> None:
    # Neither modules nor generated data are garbage: the collector would only walk through them again and again.
    gc.disable()
    # Imported late: a wrong setting is told before half a second of imports, and no service loads another's libraries.
    from trivium_demo.logs import setup_logging
    from trivium_demo.serving import listen, serve
    from trivium_demo.shell import Service, wrap_service

    setup_logging(settings.service, as_text=settings.logs_as_text)
    # Before the data are made: a port in use is told at once, and an early client waits instead of being refused.
    listener = listen(settings)
    settings = dataclasses.replace(settings, port=listener.getsockname()[1])
    module = importlib.import_module(_MODULES[settings.service])
    create_service = cast("Callable[[Settings], Service]", module.create_service)
    try:
        service = create_service(settings)
    except OSError as error:
        raise StartFailure(f"TRIVIUM_DATA_DIR: {settings.data_dir} cannot be used ({error})") from error
    gc.freeze()
    gc.enable()
    serve(wrap_service(service, settings), listener)


def _stop_while_starting(_number: int, _frame: FrameType | None) -> None:
    # Until the server takes over the signals, they end the process as they do later: with 0 and no traceback.
    raise SystemExit(0)


def _refuse(*lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - not a log event: the process has not started
    return EXIT_CANNOT_START


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
