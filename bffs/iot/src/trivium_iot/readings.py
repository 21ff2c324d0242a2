"""From the bytes of a device to readings: strict bounds, and one verdict for each item of a batch.

Pure: it knows neither HTTP nor the telemetry service.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from trivium_common.auth.edge_identity import EdgeIdentity
from trivium_common.errors import BadRequest, BodyTooLarge, CallerFault, InvalidInput
from trivium_iot.access import require_own_device
from trivium_iot.services import StoredReading

MAX_BODY_BYTES = 256 * 1024
MAX_ITEMS = 500
MAX_DETAIL_CHARS = 200


class ReadingIn(msgspec.Struct, forbid_unknown_fields=True):
    """A reading as a device sends it; `device_id` may be left out, since it can only be the sender."""

    metric: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    value: float
    at: Annotated[datetime, Meta(tz=True)]
    device_id: str | None = None


class _Body(msgspec.Struct):
    items: list[msgspec.Raw] | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Verdict:
    """One item: a reading to store, or the error that refuses it."""

    reading: StoredReading | None = None
    error: CallerFault | None = None


_decode_body = msgspec.json.Decoder(_Body).decode
_decode_reading = msgspec.json.Decoder(ReadingIn).decode


def judge_readings(body: bytes, caller: EdgeIdentity) -> list[Verdict]:
    """A verdict for each item of `{"items": [...]}`, or for the one reading that the body is.

    Raises: BadRequest, when the body is no JSON object; BodyTooLarge, for too many items.
    """
    try:
        items = _decode_body(body).items
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is no JSON object of readings: {_shorten(error)}") from error
    if items is UNSET:
        return [_judge_item(body, caller)]
    if len(items) > MAX_ITEMS:
        raise BodyTooLarge(
            f"a batch may have at most {MAX_ITEMS} readings", extensions={"max_items": MAX_ITEMS}
        )
    return [_judge_item(item, caller) for item in items]


def _judge_item(item: bytes | msgspec.Raw, caller: EdgeIdentity) -> Verdict:
    try:
        sent = _decode_reading(item)
        if sent.device_id is not None:
            require_own_device(caller, sent.device_id)
    except CallerFault as error:
        return Verdict(error=error)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Verdict(error=InvalidInput(_shorten(error)))
    return Verdict(StoredReading(caller.subject, sent.metric, sent.value, sent.at.astimezone(UTC)))


def _shorten(error: Exception) -> str:
    return str(error)[:MAX_DETAIL_CHARS]
