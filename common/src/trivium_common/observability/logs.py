"""One log line per event: JSON for machines, text for a terminal.

Control characters in values never reach the output raw: JSON escapes them, the text form does too.
"""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import orjson

from trivium_common.observability.context import current_request_id
from trivium_common.settings import LogFormat

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}


def _extra_fields(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


def _escape(text: str) -> str:
    """`text` with control characters spelled out, so that no value can forge a line or colour a terminal."""
    return text if text.isprintable() else orjson.dumps(text).decode()[1:-1]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, message, request id, and the record's extra fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request_id := current_request_id()) != "-":
            line["request_id"] = request_id
        line.update(_extra_fields(record))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class TextFormatter(logging.Formatter):
    """One readable line: time, level, service, message, then `key=value` for the extra fields."""

    def __init__(self, service: str, *, colour: bool) -> None:
        super().__init__()
        self._service = service
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of text (an exception adds its lines below)."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        fields = "".join(f" {key}={_escape(str(value))}" for key, value in _extra_fields(record).items())
        line = f"{at} {record.levelname:<7} {self._service}: {_escape(record.getMessage())}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        colour = _COLOURS.get(record.levelname) if self._colour else None
        return f"{colour}{line}\x1b[0m" if colour else line


def setup_logging(service: str, format: LogFormat | None = None, stream: TextIO | None = None) -> None:
    """Send every logger of this process to `stream` (stderr) in one format.

    Without a format a terminal gets text and everything else JSON.
    """
    out = stream or sys.stderr
    is_text = format is LogFormat.TEXT or (format is None and out.isatty())
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter(service, colour=out.isatty()) if is_text else JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
