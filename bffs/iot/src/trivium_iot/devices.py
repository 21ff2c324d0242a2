"""GET /devices/{id}: what a device needs to know about itself, in few bytes."""

import msgspec
from fastapi import APIRouter, Request, Response
from msgspec import UNSET, UnsetType

from trivium_common.app.answers import json_answer
from trivium_common.app.gate import caller_of
from trivium_common.app.openapi import describe_answer
from trivium_common.app.sources import Sources
from trivium_iot.access import require_own_device
from trivium_iot.services import Reading, Services

# How long a device waits for what it can do without.
OPTIONAL_TIMEOUT_S = 1.0


class DeviceState(msgspec.Struct):
    """A device's state. `reading` is null before its first one, and left out and named in `_missing` when away."""

    id: str
    online: bool
    state: msgspec.Raw
    reading: Reading | UnsetType | None = UNSET
    missing: list[str] | UnsetType = msgspec.field(name="_missing", default=UNSET)


def devices_router(services: Services) -> APIRouter:
    """The route of a device's state."""
    router = APIRouter()

    @router.get(
        "/devices/{device_id}",
        operation_id="getDevice",
        responses=describe_answer(DeviceState, "The device's state"),
    )
    async def device(device_id: str, request: Request) -> Response:
        """The state of the calling device and its latest reading."""
        require_own_device(caller_of(request.scope), device_id)
        async with Sources() as sources:
            device = sources.required("device", services.find_device(device_id))
            reading = sources.optional("reading", services.find_latest_reading(device_id, OPTIONAL_TIMEOUT_S))
        answer = DeviceState(
            id=device.value.id,
            online=device.value.online,
            state=device.value.state,
            reading=UNSET if sources.missing else reading.value,
            missing=sources.missing or UNSET,
        )
        return json_answer(answer, missing=sources.missing, cache_control="private, no-cache")

    return router
