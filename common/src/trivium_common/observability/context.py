"""The identifiers of the request at hand, for log lines and calls to upstreams."""

import re
import secrets
from contextvars import ContextVar

REQUEST_ID_HEADER = b"x-request-id"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
# https://www.w3.org/TR/trace-context/#traceparent-header, version 00
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

request_id_var: ContextVar[str] = ContextVar("trivium_request_id", default="-")
traceparent_var: ContextVar[str | None] = ContextVar("trivium_traceparent", default=None)


def is_valid_request_id(value: bytes) -> bool:
    """Whether a request id that came from outside may be kept."""
    return _REQUEST_ID.fullmatch(value) is not None


def is_valid_traceparent(value: bytes) -> bool:
    """Whether a W3C traceparent may be passed on; any other value starts a new trace."""
    return _TRACEPARENT.fullmatch(value) is not None


def new_request_id() -> str:
    """A fresh request id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def current_request_id() -> str:
    """The id of the request that this code works for, `-` outside of one."""
    return request_id_var.get()
