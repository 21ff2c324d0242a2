"""Answers to reads: fields, validators, compression, cursors and app versions."""

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from fastapi import APIRouter, Request, Response
from starlette.middleware import Middleware

from trivium_common.app.cursors import CursorSigner
from trivium_common.app.encodings import pick_encoding
from trivium_common.app.factory import create_app
from trivium_common.app.openapi import describe_answer
from trivium_common.app.reads import FIELDS_PARAMETER, answer_read
from trivium_common.app.settings import BffSettings
from trivium_common.app.testing import edge_headers, serve_app
from trivium_common.app.versions import Retirement, RetirementReport, VersionGate
from trivium_common.errors import BadRequest


class Price(msgspec.Struct):
    amount: int
    currency: str


class Item(msgspec.Struct, omit_defaults=True):
    id: str
    price: Price
    rating: float | None = None


class Items(msgspec.Struct):
    items: list[Item]
    next_cursor: str = "c"


class ReadSettings(BffSettings):
    service = "sample"
    port: int = 0


BODY = Items([Item(f"p{number}", Price(number, "EUR")) for number in range(50)])


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    router = APIRouter()

    @router.get(
        "/items",
        operation_id="listItems",
        responses=describe_answer(Items, "Items"),
        openapi_extra={"parameters": [FIELDS_PARAMETER]},
    )
    async def items(request: Request, away: str | None = None, old: str | None = None) -> Response:
        return answer_read(
            request, BODY, missing=away.split() if away else [], substituted=old.split() if old else []
        )

    app = create_app(
        "sample",
        ReadSettings(),
        [router],
        answers=[Items],
        middleware=[Middleware(VersionGate, minimum="2.1")],
    )
    async with (
        serve_app(app) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, headers=edge_headers("sample", "u1")) as client,
    ):
        yield client


async def test_an_unchanged_answer_is_304_for_the_same_caller_and_fields_only(
    client: httpx.AsyncClient,
) -> None:
    first = await client.get("/items")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Authorization, Accept-Encoding"

    for wanted in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = await client.get("/items", headers={"if-none-match": wanted})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for headers, params in (
        ({**edge_headers("sample", "u2"), "if-none-match": tag}, {}),
        ({"if-none-match": tag}, {"fields": "items.id"}),
        ({"if-none-match": '"other"'}, {}),
    ):
        assert (await client.get("/items", headers=headers, params=params)).status_code == 200


@pytest.mark.parametrize("params", [{"away": "orders"}, {"old": "picks"}])
async def test_an_answer_that_is_not_the_whole_truth_has_no_validator(
    client: httpx.AsyncClient, params: dict[str, str]
) -> None:
    response = await client.get("/items", params=params, headers={"if-none-match": "*"})

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_fields_pick_members_inside_lists_and_keep_the_cursor(client: httpx.AsyncClient) -> None:
    response = await client.get("/items", params={"fields": "items.price.amount,items.id"})

    assert response.json()["items"][1] == {"id": "p1", "price": {"amount": 1}}
    assert response.json()["next_cursor"] == "c"
    whole = await client.get("/items?fields=items.price,items.price.amount")
    assert whole.json()["items"][2] == {"price": {"amount": 2, "currency": "EUR"}}


@pytest.mark.parametrize(
    "fields",
    [
        "",
        "nope",
        "items.__class__",
        "__class__",
        "items.id.x",
        "items." * 1000 + "id",
        "items," * 60,
        ".",
        "items.",
    ],
)
async def test_a_field_that_does_not_exist_is_400(client: httpx.AsyncClient, fields: str) -> None:
    response = await client.get("/items", params={"fields": fields})

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


async def test_fields_given_twice_or_escaped_cannot_get_past_the_check(client: httpx.AsyncClient) -> None:
    assert (await client.get("/items?fields=items&fields=items")).status_code == 400
    assert (await client.get("/items?f%69elds=nope")).status_code == 400


async def test_an_answer_is_compressed_for_who_takes_it(client: httpx.AsyncClient) -> None:
    plain = await client.get("/items", headers={"accept-encoding": "identity"})
    async with client.stream("GET", "/items", headers={"accept-encoding": "br;q=1, gzip;q=0.5"}) as packed:
        raw = b"".join([chunk async for chunk in packed.aiter_raw()])

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) * 2 < len(plain.content)
    assert packed.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("*", "gzip"),
        ("GZIP ; q=0.3", "gzip"),
        ("gzip;q=0", None),
        ("*;q=0", None),
        ("gzip;q=x", None),
        ("identity;q=1, gzip;q=0.5", None),
        ("br", None),
        ("", None),
    ],
)
def test_the_coding_follows_the_qualities(accepted: str, coding: str | None) -> None:
    assert pick_encoding(accepted) == coding


@pytest.mark.parametrize(
    ("version", "status"),
    [("2.1", 200), ("2.1.0", 200), ("10", 200), ("2.0.9", 426), ("1", 426), ("two", 400)],
)
async def test_old_apps_are_told_to_update(client: httpx.AsyncClient, version: str, status: int) -> None:
    response = await client.get("/items", headers={"x-app-version": version})

    assert response.status_code == status
    if status == 426:
        problem = response.json()
        assert (problem["code"], problem["minimum_version"]) == ("app_too_old", "2.1")


async def test_openapi_has_no_nulls_and_no_errors_that_nobody_sends(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    assert "null" not in str(document)
    assert document["components"]["schemas"]["Item"]["properties"]["rating"] == {"type": "number"}
    assert set(document["components"]["schemas"]) == {"Items", "Item", "Price", "Problem"}
    (operation,) = document["paths"]["/items"].values()
    assert {parameter["name"] for parameter in operation["parameters"]} == {"fields", "away", "old"}


def test_a_cursor_opens_for_its_own_list_only_and_cannot_be_forged() -> None:
    cursors = CursorSigner(b"secret")
    cursor = cursors.seal("inner", "orders", "u1")

    assert cursors.open(cursor, "orders", "u1") == "inner"
    changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for forged, binding in (
        (changed, ("orders", "u1")),
        (cursor, ("orders", "u2")),
        (cursor, ("ordersu", "1")),
        (cursor + "=", ("orders", "u1")),
        (CursorSigner(b"other").seal("inner", "orders", "u1"), ("orders", "u1")),
        ("", ("orders", "u1")),
        ("é", ("orders", "u1")),
        ("A" * 5000, ("orders", "u1")),
    ):
        with pytest.raises(BadRequest):
            cursors.open(forged, *binding)


def test_a_retiring_screen_says_when_and_who_still_calls_it() -> None:
    retirement = Retirement(
        datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC), "https://example.com/moved"
    )
    report = RetirementReport()
    for version in ("2.1", "2.1", "3.0", "<script>"):
        request = Request({"type": "http", "headers": [(b"x-app-version", version.encode())]})
        response = report.mark(request, Response(), "getOldHome", retirement)

    assert response.headers["deprecation"] == "@1796083200"
    assert response.headers["sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
    assert report.rows() == [("getOldHome", "2.1", 2), ("getOldHome", "3.0", 1), ("getOldHome", "unknown", 1)]
