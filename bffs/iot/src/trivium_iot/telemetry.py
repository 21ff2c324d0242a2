"""POST /telemetry: one reading or many, forwarded to the telemetry service, with a result for each.

What is answered "accepted" was taken by that service. When it cannot be asked, nothing is acknowledged:
503 with Retry-After, and the device sends again.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from trivium_common.app.answers import json_answer
from trivium_common.app.body import read_body
from trivium_common.app.gate import caller_of
from trivium_common.app.openapi import describe_answer
from trivium_common.errors import (
    CallerFault,
    Forbidden,
    InvalidInput,
    TriviumError,
    UnsupportedMediaType,
    UpstreamFailed,
    UpstreamUnavailable,
)
from trivium_iot.readings import MAX_BODY_BYTES, MAX_ITEMS, ReadingIn, Verdict, judge_readings
from trivium_iot.services import ItemResult, Services, StoredReading

RETRY_AFTER_S = 1.0


class TelemetryResult(msgspec.Struct):
    """How many readings are stored now, and what became of each, in the order they came."""

    accepted: int
    items: list[ItemResult]


def telemetry_router(services: Services) -> APIRouter:
    """The route that takes readings."""
    router = APIRouter()

    @router.post(
        "/telemetry",
        status_code=202,
        operation_id="sendReadings",
        responses=describe_answer(TelemetryResult, "A result for each reading", status=202),
        openapi_extra=_describe_body(),
    )
    async def telemetry(request: Request) -> Response:
        """Take one reading, or `{"items": [...]}`."""
        _require_json(request)
        body = await read_body(request.scope, request.receive, MAX_BODY_BYTES)
        verdicts = judge_readings(body, caller_of(request.scope))
        readings = [verdict.reading for verdict in verdicts if verdict.reading is not None]
        if not readings:
            raise _refuse_all(verdicts)
        results = _merge(verdicts, await _store(services, readings))
        accepted = sum(result.status != "rejected" for result in results)
        return json_answer(TelemetryResult(accepted, results), status=202, cache_control="no-store")

    return router


def _require_json(request: Request) -> None:
    # Small devices often send no Content-Type at all; a wrong one is refused.
    content_type = request.headers.get("content-type", "application/json")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("readings are application/json")


async def _store(services: Services, readings: list[StoredReading]) -> list[ItemResult]:
    """Hand the readings on. Whatever goes wrong there is not the device's fault, so that it may send again."""
    try:
        results = await services.store_readings(readings)
        if len(results) != len(readings):
            raise UpstreamFailed(f"telemetry: {len(results)} results for {len(readings)} readings")
    except TriviumError as error:
        raise UpstreamUnavailable(
            f"readings not stored: {error.code}: {error.detail}",
            retry_after_s=max(RETRY_AFTER_S, error.retry_after_s or 0.0),
        ) from error
    return results


def _merge(verdicts: Sequence[Verdict], stored: Sequence[ItemResult]) -> list[ItemResult]:
    from_service = iter(stored)
    return [
        _reject(verdict.error) if verdict.error else _complete(next(from_service)) for verdict in verdicts
    ]


def _complete(result: ItemResult) -> ItemResult:
    """The service says in words why it rejects; devices branch on codes."""
    if result.status == "rejected" and result.code is None:
        return ItemResult("rejected", InvalidInput.code, result.detail)
    return result


def _reject(error: CallerFault) -> ItemResult:
    return ItemResult("rejected", error.code, error.detail)


def _refuse_all(verdicts: Sequence[Verdict]) -> CallerFault:
    """The one error for a body of which nothing can be kept; foreign devices weigh more than bad values."""
    errors = [verdict.error for verdict in verdicts if verdict.error]
    items = [msgspec.to_builtins(_reject(error)) for error in errors]
    kind = Forbidden if any(isinstance(error, Forbidden) for error in errors) else InvalidInput
    detail = errors[0].detail if len(errors) == 1 else f"none of {len(errors)} readings can be accepted"
    return kind(detail, extensions={"items": items})


def _describe_body() -> dict[str, Any]:
    (reading,), _ = msgspec.json.schema_components([ReadingIn], ref_template="#/components/schemas/{name}")
    batch = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": reading, "minItems": 1, "maxItems": MAX_ITEMS}},
        "required": ["items"],
    }
    content = {"application/json": {"schema": {"anyOf": [reading, batch]}}}
    return {"requestBody": {"required": True, "content": content}}
