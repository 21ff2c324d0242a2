"""The one place where the edge writes answers of its own: RFC 9457 problem documents."""

import orjson

from trivium_common.errors import (
    PROBLEM_MEDIA_TYPE,
    BadRequest,
    BodyTooLarge,
    HeadersTooLarge,
    InternalError,
    Overloaded,
    TriviumError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
    UriTooLong,
    problem,
    retry_after_header,
)
from trivium_common.http import (
    ConnectError,
    ConnectTimeout,
    DeadlineExceeded,
    HttpError,
    PoolTimeout,
    ReadTimeout,
    RequestFault,
    WriteTimeout,
)

from .exchange import EdgeExchange

_BY_STATUS: dict[int, type[TriviumError]] = {413: BodyTooLarge, 414: UriTooLong, 431: HeadersTooLarge}
# Extensions of an error that are headers, not members of the document.
_AS_HEADERS = {"allow": "allow", "www_authenticate": "www-authenticate"}


def answer_error(exchange: EdgeExchange, error: TriviumError) -> None:
    """Answer with the problem document of `error`, or break off an answer that has begun."""
    exchange.error = error
    if exchange.answer_is_begun:
        exchange.break_off()
        return
    exchange.status = error.status
    document = problem(error, exchange.request_id)
    lines = [
        f"content-type: {PROBLEM_MEDIA_TYPE}",
        "cache-control: no-store",
        f"x-request-id: {exchange.request_id}",
    ]
    for member, name in _AS_HEADERS.items():
        value = document.pop(member, None)
        if value is not None:
            lines.append(f"{name}: {value}")
    if error.retry_after_s is not None:
        lines.append(f"retry-after: {retry_after_header(error.retry_after_s)}")
    head = ("\r\n".join(lines) + "\r\n").encode("latin-1", "replace") + exchange.limit_lines
    exchange.respond_raw(error.status, head, orjson.dumps(document))


def error_of_fault(fault: RequestFault) -> TriviumError:
    """Return the error for a request that broke the rules of HTTP or the bounds of the server."""
    return _BY_STATUS.get(fault.status, BadRequest)(fault.detail)


def error_of_call(error: HttpError) -> TriviumError:
    """Return the error for an upstream call that failed below the level of statuses."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, ConnectTimeout | ReadTimeout | WriteTimeout | DeadlineExceeded):
        return UpstreamTimeout(detail)
    if isinstance(error, PoolTimeout):
        return Overloaded(detail, retry_after_s=1.0)
    if isinstance(error, ConnectError):
        return UpstreamUnavailable(detail, retry_after_s=1.0)
    return UpstreamFailed(detail)


def internal_error(error: Exception) -> InternalError:
    """Return the masked form of a fault of our own."""
    return InternalError(f"{type(error).__name__}: {error}")
