"""What the end of a call means: to our caller (which error) and to the breaker (whose fault)."""

import asyncio

import msgspec

from trivium_common.errors import (
    BodyTooLarge,
    Conflict,
    InvalidInput,
    NotFound,
    TriviumError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from trivium_common.http import errors as http
from trivium_common.resilience.breaker import BreakerOpen, Outcome
from trivium_common.resilience.bulkhead import BulkheadFull

# What to tell a client when nothing says how long the upstream needs.
DEFAULT_RETRY_AFTER_S = 1.0
_FAILURE_STATUSES = frozenset({500, 502, 503})
_TIMEOUTS = (http.ConnectTimeout, http.ReadTimeout, http.WriteTimeout, http.DeadlineExceeded, TimeoutError)


class NoFairChance(Exception):
    """The deadline passed, and there was so little time that it says nothing about the upstream."""


def judge_status(status: int) -> Outcome:
    """500, 502 and 503 are failures; anything else shows that the upstream works (a 4xx too)."""
    return Outcome.FAILURE if status in _FAILURE_STATUSES else Outcome.SUCCESS


def judge_error(error: BaseException) -> Outcome:
    """What an exception tells of the upstream's health.

    Neutral: we gave up, or never reached it for reasons of ours (cancelled, no free connection, no time).
    Success: it answered well-formed JSON of a shape we did not expect, or more than we take.
    Failure: the rest: refused, reset, timeout, garbage.
    """
    if isinstance(error, asyncio.CancelledError | NoFairChance | http.PoolTimeout):
        return Outcome.NEUTRAL
    if isinstance(error, msgspec.ValidationError | http.BodyTooLarge):
        return Outcome.SUCCESS
    return Outcome.FAILURE


def translate_error(error: Exception, name: str) -> TriviumError:
    """The error of our tree for an exception of the transport, the decoder, the breaker or the bulkhead."""
    if isinstance(error, BreakerOpen):
        return UpstreamUnavailable(str(error), retry_after_s=error.retry_after_s)
    if isinstance(error, BulkheadFull | http.ConnectError | http.PoolTimeout) and not isinstance(
        error, _TIMEOUTS
    ):
        return UpstreamUnavailable(_describe(name, error), retry_after_s=DEFAULT_RETRY_AFTER_S)
    if isinstance(error, (*_TIMEOUTS, NoFairChance)):
        return UpstreamTimeout(_describe(name, error))
    return UpstreamFailed(_describe(name, error))


def translate_status(status: int, name: str, retry_after: bytes | None) -> TriviumError:
    """The error of our tree for an answer that is not a success.

    Only what the caller can have caused becomes the caller's fault, without the upstream's own words.
    """
    detail = f"{name} answered {status}"
    match status:
        case 404:
            return NotFound()
        case 400 | 422:
            return InvalidInput()
        case 409:
            return Conflict()
        case 413:
            return BodyTooLarge()
        case 429 | 503:
            return UpstreamUnavailable(detail, retry_after_s=_parse_retry_after_s(retry_after))
        case 504:
            return UpstreamTimeout(detail)
        case _:
            return UpstreamFailed(detail)


def _parse_retry_after_s(value: bytes | None) -> float:
    if value is None or not value.isdigit() or len(value) > 6:
        return DEFAULT_RETRY_AFTER_S
    return max(DEFAULT_RETRY_AFTER_S, float(value))


def _describe(name: str, error: Exception) -> str:
    return f"{name}: {type(error).__name__}: {error}"
