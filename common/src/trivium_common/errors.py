"""The one tree of errors, and the one way to write them as RFC 9457 problem documents.

Two branches: the caller's fault, whose detail may be shown, and ours or an upstream's, whose detail is
only logged. Each error has a stable `code`; `docs/errors.md` says who can fix it.
"""

from collections.abc import Mapping
from typing import ClassVar

import orjson

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPE_PREFIX = "https://trivium.dev/errors/"


class TriviumError(Exception):
    """A refusal or failure with a stable code.

    `detail` says what happened and what to do; `extensions` become members of the problem document;
    `retry_after_s` is set when waiting that long can help.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    is_detail_public: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extensions: Mapping[str, object] = extensions or {}


class CallerFault(TriviumError):
    """The caller can mend this: the detail is shown."""

    code = "invalid_input"
    status = 400
    title = "The request is not valid"
    is_detail_public = True


class OurFault(TriviumError):
    """Ours or an upstream's: the caller learns the kind of failure, the log learns the detail."""


class AuthenticationRequired(CallerFault):
    """No credential came with the request."""

    code = "authentication_required"
    status = 401
    title = "Authentication is required"


class InvalidCredential(CallerFault):
    """A credential came, and it is unknown, expired, revoked or forged."""

    code = "invalid_credential"
    status = 401
    title = "The credential is not valid"


class EdgeIdentityRequired(CallerFault):
    """A BFF was called without a valid X-Edge-Identity, so not by an edge."""

    code = "edge_identity_required"
    status = 401
    title = "This backend answers requests that come through the edge"


class WrongClientKind(CallerFault):
    """The credential is valid and belongs to another kind of client."""

    code = "wrong_client_kind"
    status = 403
    title = "This credential belongs to another kind of client"


class Forbidden(CallerFault):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    title = "Access denied: insufficient permissions"


class RouteNotFound(CallerFault):
    """No route of the edge matches."""

    code = "route_not_found"
    status = 404
    title = "No route matches this request"


class NotFound(CallerFault):
    """The thing that was asked for does not exist."""

    code = "not_found"
    status = 404
    title = "Not found"


class MethodNotAllowed(CallerFault):
    """The path exists and does not take this method."""

    code = "method_not_allowed"
    status = 405
    title = "This method is not allowed here"


class Conflict(CallerFault):
    """The request contradicts the present state."""

    code = "conflict"
    status = 409
    title = "The request conflicts with the present state"


class BodyTooLarge(CallerFault):
    """The body is larger than the route takes."""

    code = "body_too_large"
    status = 413
    title = "The request body is too large"


class UriTooLong(CallerFault):
    """The request target is longer than the edge takes."""

    code = "uri_too_long"
    status = 414
    title = "The URL is too long"


class UnsupportedMediaType(CallerFault):
    """The body's media type is not one that is read here."""

    code = "unsupported_media_type"
    status = 415
    title = "This media type is not supported here"


class InvalidInput(CallerFault):
    """The request was understood and a value in it is wrong."""

    code = "invalid_input"
    status = 422
    title = "A value in the request is not valid"


class BadRequest(CallerFault):
    """The request could not be understood."""

    code = "bad_request"
    status = 400
    title = "The request could not be understood"


class RequestTimeout(CallerFault):
    """The client took too long to send its request."""

    code = "request_timeout"
    status = 408
    title = "The request took too long to arrive"


class HeadersTooLarge(CallerFault):
    """The header section is larger than the edge takes."""

    code = "headers_too_large"
    status = 431
    title = "The request headers are too large"


class RateLimited(CallerFault):
    """A limit is used up; `retry_after_s` is true: waiting that long succeeds."""

    code = "rate_limited"
    status = 429
    title = "Rate limit exceeded"


class InternalError(OurFault):
    """A fault of our own code."""


class UpstreamFailed(OurFault):
    """An upstream answered, and the answer cannot be used."""

    code = "upstream_failed"
    status = 502
    title = "A service behind this one failed"


class UpstreamUnavailable(OurFault):
    """An upstream could not be asked: its breaker is open, or nothing answers there."""

    code = "upstream_unavailable"
    status = 503
    title = "A service behind this one is unavailable"


class Overloaded(OurFault):
    """We are at our own limit and refuse before we collapse."""

    code = "overloaded"
    status = 503
    title = "Too much is going on here at the moment"


class UpstreamTimeout(OurFault):
    """An upstream did not answer in time."""

    code = "upstream_timeout"
    status = 504
    title = "A service behind this one did not answer in time"


def retry_after_header(retry_after_s: float) -> str:
    """The Retry-After value (whole seconds, never below 1) after which trying again can succeed."""
    whole_s = int(retry_after_s)
    return str(max(1, whole_s if whole_s == retry_after_s else whole_s + 1))


def problem(error: TriviumError, request_id: str) -> dict[str, object]:
    """The RFC 9457 members for `error`; `instance` is the request id that logs and `explain` know."""
    document: dict[str, object] = {
        "type": PROBLEM_TYPE_PREFIX + error.code,
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "instance": request_id,
    }
    if error.is_detail_public and error.detail:
        document["detail"] = error.detail
    if error.retry_after_s is not None:
        document["retry_after"] = int(retry_after_header(error.retry_after_s))
    if isinstance(error, RateLimited):
        document["error"] = error.title
    document.update(error.extensions)
    return document


def render_problem(error: TriviumError, request_id: str) -> bytes:
    """`problem` as JSON bytes."""
    return orjson.dumps(problem(error, request_id))
