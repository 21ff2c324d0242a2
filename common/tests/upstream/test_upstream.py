"""`Upstream` gives typed answers and tells the truth about failures."""

import asyncio
import socket
from types import NoneType

import msgspec
import pytest

from trivium_common.app.testing import FakeUpstreams, Fault
from trivium_common.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    TriviumError,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from trivium_common.observability.context import request_id_var, traceparent_var
from trivium_common.resilience.breaker import BreakerState
from trivium_common.resilience.deadline import deadline_scope
from trivium_common.upstream.client import Upstream, segment

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Order(msgspec.Struct):
    id: str
    status: str


class Echo(msgspec.Struct):
    query: dict[str, str]


async def test_an_answer_is_decoded_into_the_declared_fields_only(make_upstream) -> None:
    order = await make_upstream().get("/orders/o1", type=Order)

    assert order == Order(id="o1", status="shipped")


async def test_query_values_are_spelled_as_the_services_read_them(make_upstream) -> None:
    params = {"ids": ["u1", "u2"], "in_stock": True, "limit": 20, "cursor": None, "q": "a&b=c"}

    echo = await make_upstream().get("/orders", type=Echo, params=params)

    assert echo.query == {"ids": "u1,u2", "in_stock": "true", "limit": "20", "q": "a&b=c"}


async def test_a_path_segment_cannot_leave_its_place(make_upstream, fake: FakeUpstreams) -> None:
    await make_upstream().get(f"/orders/{segment('../users?x=1#y')}", type=Order)

    assert fake.calls[0].path == "/orders/../users?x=1#y"  # decoded: one segment on the wire
    assert fake.calls[0].query == {}
    assert segment("..") == "%2E%2E"


async def test_writes_send_json_and_may_ignore_the_answer(make_upstream, fake: FakeUpstreams) -> None:
    upstream = make_upstream()

    created = await upstream.post("/orders", type=Order, json={"lines": [1]})
    await upstream.put("/orders/o2", type=Order, json={"lines": []})
    await upstream.patch("/orders/o2", type=Order, json={"lines": []})
    await upstream.delete("/orders/o2", type=NoneType)

    assert created.status == '{"lines":[1]}'
    assert [call.method for call in fake.calls] == ["POST", "PUT", "PATCH", "DELETE"]
    assert fake.calls[0].headers["content-type"] == "application/json"
    assert "content-type" not in fake.calls[3].headers


async def test_ids_trace_and_the_remaining_time_travel_on(make_upstream, fake: FakeUpstreams) -> None:
    request_id_var.set("r-1")
    traceparent_var.set(TRACEPARENT)
    upstream = make_upstream(timeout_s=5.0)

    with deadline_scope(2.0):
        await upstream.get("/orders/o1", type=Order)
        await upstream.get("/orders/o1", type=Order, timeout_s=0.7)
    await upstream.get("/orders/o1", type=Order)

    first, second, third = (call.headers for call in fake.calls)
    assert first["x-request-id"] == "r-1"
    assert first["traceparent"] == TRACEPARENT
    assert 1000 < int(first["x-request-timeout-ms"]) <= 2000
    assert int(second["x-request-timeout-ms"]) <= 700
    assert 2000 < int(third["x-request-timeout-ms"]) <= 5000


async def test_no_call_starts_after_the_deadline(make_upstream, fake: FakeUpstreams) -> None:
    with deadline_scope(0.0), pytest.raises(UpstreamTimeout):
        await make_upstream().get("/orders/o1", type=Order)

    assert fake.calls == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("garbage", UpstreamFailed),
        ("truncate", UpstreamFailed),
        (500, UpstreamFailed),
        (502, UpstreamFailed),
        (503, UpstreamUnavailable),
        (504, UpstreamTimeout),
        (429, UpstreamUnavailable),
        (404, NotFound),
        (422, InvalidInput),
        (409, Conflict),
        (401, UpstreamFailed),
        (302, UpstreamFailed),
    ],
)
async def test_each_bad_answer_becomes_its_error(
    make_upstream, fake: FakeUpstreams, fault: Fault, error: type[TriviumError]
) -> None:
    fake.faults["orders"] = fault

    with pytest.raises(error) as raised:
        await make_upstream().get("/orders/o1", type=Order)

    if isinstance(raised.value, UpstreamUnavailable):
        assert raised.value.retry_after_s == 1.0


async def test_an_answer_of_another_shape_is_a_failed_upstream_and_no_reason_to_open_the_breaker(
    make_upstream,
) -> None:
    upstream = make_upstream()
    for _ in range(5):
        with pytest.raises(UpstreamFailed, match="ValidationError"):
            await upstream.get("/orders", type=Order)

    assert upstream.breaker_state is BreakerState.CLOSED


async def test_nothing_listening_is_unavailable_and_opens_the_breaker() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        upstream = Upstream("orders", f"http://127.0.0.1:{unused.getsockname()[1]}")
        for _ in range(3):
            with pytest.raises(UpstreamUnavailable, match="ConnectError"):
                await upstream.get("/orders/o1", type=Order)
        with pytest.raises(UpstreamUnavailable, match="open") as refused:
            await upstream.get("/orders/o1", type=Order)
        await upstream.aclose()

    assert 0 < (refused.value.retry_after_s or 0) <= 2.0


@pytest.mark.parametrize("fault", ["garbage", "truncate", 500, 502, 503])
async def test_three_failures_open_the_breaker_and_the_upstream_is_left_alone(
    make_upstream, fake: FakeUpstreams, fault: Fault
) -> None:
    fake.faults["orders"] = fault
    upstream = make_upstream()
    for _ in range(5):
        with pytest.raises((UpstreamFailed, UpstreamUnavailable)):
            await upstream.get("/orders/o1", type=Order)

    assert upstream.breaker_state is BreakerState.OPEN
    assert len(fake.calls) == 3


@pytest.mark.parametrize("fault", [400, 404, 409, 422, 429])
async def test_the_callers_faults_leave_the_breaker_closed(
    make_upstream, fake: FakeUpstreams, fault: Fault
) -> None:
    fake.faults["orders"] = fault
    upstream = make_upstream()
    for _ in range(5):
        with pytest.raises(TriviumError):
            await upstream.get("/orders/o1", type=Order)

    assert upstream.breaker_state is BreakerState.CLOSED


async def test_a_hanging_upstream_is_left_at_the_deadline_and_after_three_at_once(
    make_upstream, fake: FakeUpstreams
) -> None:
    fake.faults["orders"] = "hang"
    upstream = make_upstream(timeout_s=0.1)
    for _ in range(3):
        with pytest.raises(UpstreamTimeout):
            await upstream.get("/orders/o1", type=Order)

    with pytest.raises(UpstreamUnavailable):
        await upstream.get("/orders/o1", type=Order, timeout_s=60.0)

    assert len(fake.calls) == 3
    assert upstream.pending == 0


async def test_a_call_with_hardly_any_time_left_proves_nothing(make_upstream, fake: FakeUpstreams) -> None:
    fake.faults["orders"] = "hang"
    upstream = make_upstream()
    for _ in range(4):
        with pytest.raises(UpstreamTimeout):
            await upstream.get("/orders/o1", type=Order, timeout_s=0.005)

    assert upstream.breaker_state is BreakerState.CLOSED


async def test_a_cancelled_caller_is_no_failure_and_frees_its_slot(
    make_upstream, fake: FakeUpstreams
) -> None:
    fake.faults["orders"] = "hang"
    upstream = make_upstream()
    for _ in range(4):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await upstream.get("/orders/o1", type=Order)

    assert upstream.breaker_state is BreakerState.CLOSED
    assert upstream.pending == 0


async def test_more_calls_than_slots_are_refused_at_once(make_upstream, fake: FakeUpstreams) -> None:
    fake.faults["orders"] = "hang"
    upstream = make_upstream(max_pending=2, timeout_s=0.2)
    refused: list[TriviumError] = []

    async def call() -> None:
        try:
            await upstream.get("/orders/o1", type=Order)
        except TriviumError as error:
            refused.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(call())

    assert [type(error) for error in refused] == [UpstreamUnavailable] * 3 + [UpstreamTimeout] * 2
    assert len(fake.calls) == 2
