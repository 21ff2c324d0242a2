"""One HTTP/1.1 engine for every deployable: the client's pool and the server's connection, on httptools.

The httpx transport lives in `trivium_common.http.httpx_transport`, which alone needs httpx.
"""

from .client import HttpClient, HttpResponse, StreamedResponse
from .errors import (
    BodyTooLarge,
    ConnectError,
    ConnectionReset,
    ConnectTimeout,
    DeadlineExceeded,
    HttpError,
    PoolTimeout,
    ProtocolError,
    ReadTimeout,
    WriteTimeout,
)
from .headers import Headers
from .limits import PoolLimits, ServerLimits, Timeouts

__all__ = [
    "BodyTooLarge",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionReset",
    "DeadlineExceeded",
    "Headers",
    "HttpClient",
    "HttpError",
    "HttpResponse",
    "PoolLimits",
    "PoolTimeout",
    "ProtocolError",
    "ReadTimeout",
    "ServerLimits",
    "StreamedResponse",
    "Timeouts",
    "WriteTimeout",
]
