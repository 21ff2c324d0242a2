"""Upstreams that fail: partial data, truthful codes, nothing of our insides, nobody else slowed down."""

import asyncio

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, Fault

EVERYTHING = '{ me { name } product(id: "p1") { name } orders(first: 2) { edges { node { id lines { product { name } } } } } }'


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (500, "UPSTREAM_FAILED"),
        (503, "UPSTREAM_UNAVAILABLE"),
        ("garbage", "UPSTREAM_FAILED"),
        ("truncate", "UPSTREAM_FAILED"),
        ("hang", "UPSTREAM_TIMEOUT"),
    ],
)
async def test_what_an_upstream_cannot_give_is_null_with_a_code_and_the_rest_is_there(
    web: httpx.AsyncClient, upstreams: FakeUpstreams, fault: Fault, code: str
) -> None:
    upstreams.faults["products"] = fault

    response = await web.post(
        "/graphql",
        json={"query": EVERYTHING},
        headers={"x-request-timeout-ms": "1000", "x-request-id": "r-5"},
    )

    answer = response.json()
    assert response.status_code == 200
    assert response.headers["x-completeness"] == "partial"
    assert response.headers["cache-control"] == "no-store"
    assert answer["data"]["me"] == {"name": "User 1"}
    assert answer["data"]["product"] is None
    assert answer["data"]["orders"]["edges"][0]["node"]["lines"][0] == {"product": None}
    assert {error["extensions"]["code"] for error in answer["errors"]} == {code}
    assert {error["extensions"]["requestId"] for error in answer["errors"]} == {"r-5"}
    assert "127.0.0.1" not in response.text


async def test_a_hanging_upstream_is_asked_three_times_and_then_left_alone(
    ask, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["products"] = "hang"
    for _ in range(3):
        await ask('{ product(id: "p1") { id } }', **{"x-request-timeout-ms": "1000"})

    answer = await ask(EVERYTHING)

    errors = {error["extensions"]["code"]: error["extensions"]["retryAfter"] for error in answer["errors"]}
    assert list(errors) == ["UPSTREAM_UNAVAILABLE"]
    assert 1 < errors["UPSTREAM_UNAVAILABLE"] <= 60
    assert answer["data"]["me"] == {"name": "User 1"}
    assert len(upstreams.calls_to("products")) == 3  # the last query did not ask, so it cannot have waited


async def test_while_one_query_waits_for_a_hanging_upstream_others_are_answered(
    ask, web: httpx.AsyncClient, upstreams: FakeUpstreams
) -> None:
    upstreams.faults["products"] = "hang"
    async with asyncio.TaskGroup() as group:
        hanging = group.create_task(ask(EVERYTHING, **{"x-request-timeout-ms": "2000"}))
        await upstreams.wait_call("products")

        other = await web.post("/graphql", json={"query": "{ me { name } orders { totalCount } }"})

        assert other.headers["x-completeness"] == "complete"
        assert not hanging.done()
    assert hanging.result()["data"]["me"] == {"name": "User 1"}


async def test_the_callers_own_errors_leave_the_answer_complete(web: httpx.AsyncClient) -> None:
    response = await web.post("/graphql", json={"query": '{ me { id } product(id: "p9999") { id } }'})

    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert response.headers["x-completeness"] == "complete"


async def test_deadlines_and_request_ids_reach_every_batch_read(ask, upstreams: FakeUpstreams) -> None:
    await ask(EVERYTHING, **{"x-request-timeout-ms": "1500", "x-request-id": "r-6"})

    budgets = [int(call.headers["x-request-timeout-ms"]) for call in upstreams.calls]
    assert all(0 < budget < 1500 for budget in budgets)
    assert {call.headers["x-request-id"] for call in upstreams.calls} == {"r-6"}


async def test_a_value_of_another_type_is_masked(ask, upstreams: FakeUpstreams) -> None:
    upstreams.answers["GET /users/users"] = {"items": [{"id": 7, "secret": "hunter2"}]}

    answer = await ask("{ me { name } }")

    assert answer["data"] == {"me": None}
    assert answer["errors"][0]["message"] == "A service behind this one failed"
    assert "hunter2" not in str(answer)
