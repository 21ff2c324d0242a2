"""devices: what is installed where, and for each device a twin of desired and reported state."""

import sqlite3
from typing import Annotated, Any

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from typing_extensions import TypedDict

from trivium_demo.data.dates import BASE_S, format_time
from trivium_demo.data.devices import generate_devices
from trivium_demo.documents import Document, dump_document, fetch_document, load_document, merge_changes
from trivium_demo.ids import batch_numbers, number_of, require_number
from trivium_demo.moments import Clock, format_moment, utc_now
from trivium_demo.paging import Cursors, Query, fetch_batch, fetch_page
from trivium_demo.rest import (
    DEFAULT_LIMIT,
    CursorParameter,
    Ids,
    Limit,
    Page,
    create_rest_app,
    json_response,
)
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database, transaction

_TABLES = """
CREATE TABLE devices (n INTEGER PRIMARY KEY, owner_n INTEGER, doc TEXT) STRICT;
CREATE INDEX devices_by_owner ON devices (owner_n);
CREATE TABLE twins (n INTEGER PRIMARY KEY, doc TEXT) STRICT;
"""

State = dict[str, Any]
Text = Annotated[str, Field(min_length=1, max_length=120)]


class Location(BaseModel):
    """Where a device is."""

    room: str
    latitude: float
    longitude: float


class Network(BaseModel):
    """How a device is connected."""

    transport: str
    rssi_dbm: int


class Device(BaseModel):
    """A device; `state` is what it reported last."""

    id: str
    owner_id: str
    kind: str
    model: str
    serial_number: str
    firmware: str
    name: str
    online: bool
    last_seen_at: str
    state: State
    location: Location
    network: Network


class Twin(BaseModel):
    """Desired and reported state. `version` grows with each change of either side."""

    device_id: str
    version: int
    desired: State
    desired_version: int
    reported: State
    reported_version: int
    updated_at: str


_CLOSED = ConfigDict(extra="forbid")


class LocationChanges(TypedDict, total=False):
    """The members of the location that change."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]  # pydantic's way to configure a TypedDict
    room: Text
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class DeviceChanges(TypedDict, total=False):
    """The members that change; `state` counts as reported by the device, and a null in it removes a value."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    name: Text
    firmware: Annotated[str, Field(pattern=r"^[0-9A-Za-z.+-]{1,40}$")]
    online: bool
    location: LocationChanges
    state: State


class TwinChanges(TypedDict, total=False):
    """What is newly desired, newly reported, or both; a null removes a value."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc]
    desired: State
    reported: State


class DevicesApi:
    """The endpoints of the devices service."""

    def __init__(self, db: sqlite3.Connection, cursors: Cursors, clock: Clock = utc_now) -> None:
        self._db = db
        self._cursors = cursors
        self._clock = clock

    async def list_devices(
        self,
        ids: Ids = None,
        owner_id: str | None = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: CursorParameter = None,
    ) -> Response:
        """Devices by id, or a page of them."""
        if ids is not None:
            return json_response(fetch_batch(self._db, "devices", batch_numbers("d", ids)))
        query = Query("devices")
        if owner_id is not None:
            query.where("owner_n = ?", number_of("u", owner_id))
        return json_response(fetch_page(self._db, self._cursors, query, limit, cursor))

    async def get_device(self, device_id: str) -> Response:
        """One device."""
        return json_response(fetch_document(self._db, "devices", require_number("d", device_id), device_id))

    async def change_device(self, device_id: str, changes: Annotated[DeviceChanges, Body()]) -> Response:
        """Change what is given and leave the rest."""
        number = require_number("d", device_id)
        device = load_document(self._db, "devices", number, device_id)
        reported = changes.pop("state", None)
        merge_changes(device, changes)
        with transaction(self._db):
            if reported is not None:
                self._change_twin(number, device_id, {"reported": reported}, device)
            document = self._store_device(number, device)
        return json_response(document)

    async def get_twin(self, device_id: str) -> Response:
        """A device's twin."""
        return json_response(fetch_document(self._db, "twins", require_number("d", device_id), device_id))

    async def change_twin(self, device_id: str, changes: Annotated[TwinChanges, Body()]) -> Response:
        """Merge into the desired or the reported state; each side that changes gets a version of its own."""
        number = require_number("d", device_id)
        device = load_document(self._db, "devices", number, device_id)
        with transaction(self._db):
            document = self._change_twin(number, device_id, changes, device)
            if "reported" in changes:
                self._store_device(number, device)
        return json_response(document)

    def _change_twin(self, number: int, device_id: str, changes: TwinChanges, device: Document) -> str:
        twin = load_document(self._db, "twins", number, device_id)
        now = format_moment(self._clock())
        if "desired" in changes:
            merge_changes(twin["desired"], changes["desired"])
            twin["version"] = twin["desired_version"] = twin["version"] + 1
        if "reported" in changes:
            merge_changes(twin["reported"], changes["reported"])
            twin["version"] = twin["reported_version"] = twin["version"] + 1
            device.update(state=twin["reported"], online=True, last_seen_at=now)
        twin["updated_at"] = now
        document = dump_document(twin)
        self._db.execute("UPDATE twins SET doc = ? WHERE n = ?", (document, number))
        return document

    def _store_device(self, number: int, device: Document) -> str:
        document = dump_document(device)
        self._db.execute("UPDATE devices SET doc = ? WHERE n = ?", (document, number))
        return document


def create_service(settings: Settings) -> Service:
    """The devices service on its file in the data directory."""
    db = open_database(settings.data_dir / "devices.db", build_devices)
    api = DevicesApi(db, Cursors.of(settings.data_dir))
    app = create_rest_app("devices")
    app.get("/devices", response_model=Page[Device])(api.list_devices)
    app.get("/devices/{device_id}", response_model=Device)(api.get_device)
    app.patch("/devices/{device_id}", response_model=Device)(api.change_device)
    app.get("/devices/{device_id}/twin", response_model=Twin)(api.get_twin)
    app.patch("/devices/{device_id}/twin", response_model=Twin)(api.change_twin)
    return Service(app, lambda: db.execute("SELECT 1 FROM devices LIMIT 1").fetchone())


def build_devices(db: sqlite3.Connection) -> None:
    """Fill an empty database with the generated devices and twins."""
    for statement in _TABLES.strip().split("\n"):
        db.execute(statement)
    for device in generate_devices():
        twin = {
            "device_id": f"d{device.number}",
            "version": 2,
            "desired": device.desired,
            "desired_version": 1,
            "reported": device.reported,
            "reported_version": 2,
            "updated_at": format_time(BASE_S),
        }
        row = (device.number, device.owner_number, dump_document(device.document))
        db.execute("INSERT INTO devices VALUES (?, ?, ?)", row)
        db.execute("INSERT INTO twins VALUES (?, ?)", (device.number, dump_document(twin)))
