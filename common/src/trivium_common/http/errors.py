"""What can go wrong in a call over HTTP, told truthfully: `bytes_sent` says whether the peer may have seen the request.

These are transport errors. Callers that answer people translate them into `trivium_common.errors`.
"""


class HttpError(Exception):
    """A call failed below the level of statuses.

    `bytes_sent` is False only when no byte of the request was handed to a socket: then a retry is safe for
    any method.
    """

    def __init__(self, message: str, *, bytes_sent: bool = False) -> None:
        super().__init__(message)
        self.bytes_sent = bytes_sent


class ConnectError(HttpError):
    """No connection could be made: refused, unreachable, unknown name or a failed TLS handshake."""


class ConnectTimeout(ConnectError):
    """The connection was not made within `connect_s`."""


class PoolTimeout(HttpError):
    """No connection of the pool became free in time, or too many callers wait for one already."""


class WriteTimeout(HttpError):
    """The peer stopped taking the request for `send_s`."""


class ReadTimeout(HttpError):
    """The peer sent nothing for `read_s`."""


class DeadlineExceeded(HttpError):
    """The caller's own deadline passed before the answer was complete."""


class ConnectionReset(HttpError):
    """The connection broke before the answer began."""


class ProtocolError(HttpError):
    """The peer does not speak proper HTTP/1.1, or ended in the middle of an answer."""


class BodyTooLarge(HttpError):
    """The answer is longer than the caller takes."""
