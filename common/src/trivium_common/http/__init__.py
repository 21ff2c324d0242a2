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
from .exchange import BrokenBody, ClientLeft, ClientTooSlow, DeadlinePassed, Exchange, RequestFault
from .headers import Headers
from .limits import PoolLimits, ServerLimits, Timeouts
from .proxy_protocol import ProxyProtocol
from .server import HttpServer, serve

__all__ = [
    "BodyTooLarge",
    "BrokenBody",
    "ClientLeft",
    "ClientTooSlow",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionReset",
    "DeadlineExceeded",
    "DeadlinePassed",
    "Exchange",
    "Headers",
    "HttpClient",
    "HttpError",
    "HttpResponse",
    "HttpServer",
    "PoolLimits",
    "PoolTimeout",
    "ProtocolError",
    "ProxyProtocol",
    "ReadTimeout",
    "RequestFault",
    "ServerLimits",
    "StreamedResponse",
    "Timeouts",
    "WriteTimeout",
    "serve",
]
