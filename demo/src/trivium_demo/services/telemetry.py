"""telemetry: readings of devices over time, each kept once."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import fastapi
from fastapi import Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json
from starlette.responses import Response

from trivium_demo.data.dates import format_time_ms
from trivium_demo.data.readings import METRIC, VALUE_SQL, generate_levels, generate_slots
from trivium_demo.ids import batch_numbers, number_of
from trivium_demo.paging import Cursors
from trivium_demo.problems import Problem, invalid_input
from trivium_demo.rest import CursorParameter, create_rest_app, json_response
from trivium_demo.settings import Settings
from trivium_demo.shell import Service
from trivium_demo.storage import open_database, transaction

# The primary key is the order in which readings are asked for, and it keeps each of them once.
_TABLES = """
CREATE TABLE readings (device_n INTEGER, metric TEXT, at_ms INTEGER, value REAL, PRIMARY KEY (device_n, metric, at_ms)) STRICT, WITHOUT ROWID;
"""

MAX_ITEMS = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
MAX_PAGE = 1_000


class Reading(BaseModel):
    """One measured value."""

    device_id: str
    metric: str
    value: float
    at: str


class ReadingPage(BaseModel):
    """A page of readings; they are too many to be counted each time."""

    items: list[Reading]
    next_cursor: str | None


class NewReading(BaseModel):
    """A reading to be stored."""

    model_config = ConfigDict(extra="forbid")
    device_id: str = Field(pattern="^d[1-9][0-9]{0,17}$")
    metric: str = Field(pattern="^[a-z][a-z0-9_]{0,39}$")
    value: float = Field(allow_inf_nan=False)
    at: AwareDatetime = Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))


class Readings(BaseModel):
    """What a device or a BFF sends."""

    items: list[NewReading] = Field(max_length=MAX_ITEMS)


class ItemResult(BaseModel):
    """What became of one item, in the order sent."""

    status: Literal["accepted", "duplicate", "rejected"]
    detail: str | None = None


class StoreResult(BaseModel):
    """What became of the items."""

    accepted: int
    duplicates: int
    rejected: int
    items: list[ItemResult]


ITEM = TypeAdapter(NewReading)
ReadingsLimit = Annotated[int, fastapi.Query(ge=1, le=MAX_PAGE)]
_ACCEPTED = ItemResult(status="accepted")
_DUPLICATE = ItemResult(status="duplicate")


class TelemetryApi:
    """The endpoints of the telemetry service."""

    def __init__(self, db: sqlite3.Connection, cursors: Cursors) -> None:
        self._db = db
        self._cursors = cursors

    async def list_readings(
        self,
        device_id: str,
        metric: str = "temperature",
        from_: Annotated[AwareDatetime | None, fastapi.Query(alias="from")] = None,
        to: AwareDatetime | None = None,
        sort: Literal["at", "-at"] = "at",
        limit: ReadingsLimit = 100,
        cursor: CursorParameter = None,
    ) -> Response:
        """A device's readings of one metric, `from` included, `to` excluded."""
        device_number = number_of("d", device_id)
        low_ms = to_ms(from_) if from_ else -(2**62)
        high_ms = to_ms(to) if to else 2**62
        query = repr((device_number, metric, low_ms, high_ms, sort))
        bounds = [low_ms, high_ms]
        if cursor is not None:
            # The place is the last reading's time: the next page lies beyond it.
            place = self._cursors.read(query, cursor)[0]
            bounds = [place + 1, high_ms] if sort == "at" else [low_ms, place]
        rows = self._db.execute(
            "SELECT at_ms, value FROM readings WHERE device_n = ? AND metric = ? AND at_ms >= ? AND at_ms < ?"
            f" ORDER BY at_ms {'ASC' if sort == 'at' else 'DESC'} LIMIT ?",
            (device_number, metric, *bounds, limit + 1),
        ).fetchall()
        next_cursor = self._cursors.sign(query, rows[limit - 1][:1]) if len(rows) > limit else None
        items = [
            {"device_id": device_id, "metric": metric, "value": value, "at": format_time_ms(at_ms)}
            for at_ms, value in rows[:limit]
        ]
        return json_response(to_json({"items": items, "next_cursor": next_cursor}))

    async def list_latest(self, device_id: str) -> Response:
        """The newest reading of each metric, of one device or of several (comma-separated)."""
        items = [item for number in batch_numbers("d", device_id) for item in self._latest_of(number)]
        return json_response(to_json({"items": items, "next_cursor": None}))

    def _latest_of(self, device_number: int) -> list[dict[str, object]]:
        # SQLite takes `value` from the row that holds the maximum.
        rows = self._db.execute(
            "SELECT metric, max(at_ms), value FROM readings WHERE device_n = ? GROUP BY metric",
            (device_number,),
        )
        return [
            {"device_id": f"d{device_number}", "metric": metric, "value": value, "at": format_time_ms(at_ms)}
            for metric, at_ms, value in rows
        ]

    async def store_readings(self, request: Request) -> Response:
        """Store readings; a wrong item is told and does not stop the others, one already known changes nothing."""
        results = self._store(_parse_items(await request.body()))
        statuses = [result.status for result in results]
        answer = StoreResult(
            accepted=statuses.count("accepted"),
            duplicates=statuses.count("duplicate"),
            rejected=statuses.count("rejected"),
            items=results,
        )
        return json_response(answer.model_dump_json(exclude_none=True), 202)

    def _store(self, items: list[NewReading | ItemResult]) -> list[ItemResult]:
        results = []
        with transaction(self._db):
            for item in items:
                if isinstance(item, ItemResult):
                    results.append(item)
                    continue
                inserted = self._db.execute(
                    "INSERT OR IGNORE INTO readings VALUES (?, ?, ?, ?)",
                    (int(item.device_id[1:]), item.metric, to_ms(item.at), item.value),
                )
                results.append(_ACCEPTED if inserted.rowcount else _DUPLICATE)
        return results


def _parse_items(body: bytes) -> list[NewReading | ItemResult]:
    try:
        return list(Readings.model_validate_json(body).items)
    except ValidationError:
        # Something in it is wrong: go through the items one by one and say what.
        return [_parse_item(item) for item in _raw_items(body)]


def _raw_items(body: bytes) -> list[object]:
    try:
        document = from_json(body)
    except ValueError as error:
        raise Problem(400, "bad_request", f"the body is not JSON: {error}") from error
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise invalid_input("expected an object with the member `items`, a list")
    if len(items) > MAX_ITEMS:
        raise invalid_input(f"at most {MAX_ITEMS} items can be stored at once, found {len(items)}")
    return items


def _parse_item(item: object) -> NewReading | ItemResult:
    try:
        return ITEM.validate_python(item)
    except ValidationError as error:
        detail = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        return ItemResult(status="rejected", detail=detail)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970; what is finer is cut off."""
    return (moment - _EPOCH) // _MILLISECOND


def create_service(settings: Settings) -> Service:
    """The telemetry service on its file in the data directory."""
    db = open_database(settings.data_dir / "telemetry.db", build_readings)
    api = TelemetryApi(db, Cursors.of(settings.data_dir))
    app = create_rest_app("telemetry")
    app.get("/readings", response_model=ReadingPage)(api.list_readings)
    app.get("/readings/latest", response_model=ReadingPage)(api.list_latest)
    body = {"content": {"application/json": {"schema": Readings.model_json_schema()}}, "required": True}
    app.post("/readings", response_model=StoreResult, status_code=202, openapi_extra={"requestBody": body})(
        api.store_readings
    )
    return Service(app, lambda: db.execute("SELECT 1 FROM readings LIMIT 1").fetchone())


def build_readings(db: sqlite3.Connection) -> None:
    """Fill an empty database with a week of readings."""
    db.execute(_TABLES)
    db.execute("CREATE TEMP TABLE levels (device_n INTEGER, level INTEGER)")
    db.execute("CREATE TEMP TABLE slots (slot INTEGER, at_ms INTEGER, course INTEGER)")
    db.executemany("INSERT INTO levels VALUES (?, ?)", generate_levels())
    db.executemany("INSERT INTO slots VALUES (?, ?, ?)", generate_slots())
    # CROSS JOIN keeps SQLite from turning the loops round: rows come in the order of the primary key.
    db.execute(
        f"INSERT INTO readings SELECT device_n, ?, at_ms, {VALUE_SQL} FROM levels CROSS JOIN slots", (METRIC,)
    )
