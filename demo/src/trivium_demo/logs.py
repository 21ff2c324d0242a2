"""One line for each event on stderr: JSON for machines, text for a terminal."""

import json
import logging
import sys
import time
from typing import TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def _extra_fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, message, and the record's extra fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, object] = {
            "time": f"{seconds}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "service": self._service,
            "message": record.getMessage(),
            **_extra_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """One readable line: time, level, service, message, then `key=value`; control characters are spelled out."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of text (an exception adds its lines below)."""
        at = time.strftime("%H:%M:%S", time.localtime(record.created))
        fields = "".join(f" {key}={_escape(str(value))}" for key, value in _extra_fields(record).items())
        line = f"{at} {record.levelname:<7} {self._service}: {_escape(record.getMessage())}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _escape(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]


def setup_logging(service: str, *, as_text: bool | None, stream: TextIO = sys.stderr) -> None:
    """Send every logger of this process to `stream`; with `as_text` None a terminal decides."""
    is_text = stream.isatty() if as_text is None else as_text
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter(service) if is_text else JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # uvicorn tells its whole life at INFO; start and stop are told by us, in one line each.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
