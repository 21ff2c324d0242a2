"""A service behind a BFF fails: what needs it says so, everything else goes on.

Each test breaks another service, since a breaker remembers.
"""

import time
from collections.abc import Callable

import httpx
import pytest
from running_stack import RunningStack, wait_until

# A screen waits 1.5 s for what it can do without; a fault that hangs would take 30.
HANG_BOUND_S = 10.0
# What an open breaker answers without asking; the hanging service alone takes the screen 1.5 s.
FAST_BOUND_S = 1.0

Ask = Callable[[], httpx.Response]


@pytest.fixture
def ask_home(stack: RunningStack, edge: httpx.Client) -> Ask:
    return lambda: edge.get("/api/mobile/home", headers=stack.authorize("mobile"))


@pytest.fixture
def ask_web(stack: RunningStack, edge: httpx.Client) -> Callable[[str], httpx.Response]:
    headers = stack.authorize("web")
    return lambda query: edge.post("/api/web/graphql", json={"query": query}, headers=headers)


def is_complete(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.headers.get("X-Completeness") == "complete"


def assert_partial(answer: httpx.Response, missing: str) -> None:
    """200 with what there is, a list of what there is not, and not to be stored."""
    assert answer.status_code == 200
    assert answer.headers["X-Completeness"] == "partial"
    assert answer.json()["_missing"] == [missing]
    assert missing not in answer.json()
    assert "no-store" in answer.headers["Cache-Control"]


def assert_others_unaffected(stack: RunningStack, edge: httpx.Client) -> None:
    """Devices do not notice, and neither does a person who asks for what still works."""
    assert edge.get("/api/iot/devices/d1", headers=stack.authorize("iot")).status_code == 200
    web = edge.post("/api/web/graphql", json={"query": "{ me { id name } }"}, headers=stack.authorize("web"))
    assert (web.status_code, "errors" in web.json()) == (200, False)


def test_home_screen_comes_without_orders_while_orders_is_away(
    stack: RunningStack, edge: httpx.Client, ask_home: Ask
) -> None:
    """A reset connection leaves a partial screen that says so; the screen is complete again afterwards."""
    with stack.faults("orders", reset=True):
        assert_partial(ask_home(), "orders")
        assert_others_unaffected(stack, edge)
        product = edge.get("/api/mobile/products/p1", headers=stack.authorize("mobile"))
        assert product.status_code == 200
    wait_until(lambda: is_complete(ask_home()), "the home screen is complete again")


def test_hanging_service_costs_a_moment_and_then_nothing(
    stack: RunningStack, edge: httpx.Client, ask_home: Ask
) -> None:
    """The first screens wait for the optional source, then its breaker opens and they no longer wait."""
    with stack.faults("products", hang=True):
        began_s = time.monotonic()
        assert_partial(ask_home(), "products")
        assert time.monotonic() - began_s < HANG_BOUND_S

        def is_fast() -> bool:
            began_s = time.monotonic()
            assert_partial(ask_home(), "products")
            return time.monotonic() - began_s < FAST_BOUND_S

        wait_until(is_fast, "the breaker of products opens")
        assert_others_unaffected(stack, edge)
    wait_until(lambda: is_complete(ask_home()), "the home screen is complete again")


def test_graphql_answer_says_which_part_is_missing(
    stack: RunningStack, ask_web: Callable[[str], httpx.Response]
) -> None:
    """An erroring service leaves the rest of the data, and an error with a stable code at its path."""
    query = "{ me { name orders(first: 1) { edges { node { id } } } } }"
    with stack.faults("orders", error_rate=1.0, error_status=500):
        answer = ask_web(query)
        assert answer.status_code == 200
        body = answer.json()
        assert body["data"]["me"]["name"]
        codes = {error["extensions"]["code"] for error in body["errors"]}
        assert codes <= {"UPSTREAM_FAILED", "UPSTREAM_UNAVAILABLE"}
        assert all(error["path"][:2] == ["me", "orders"] for error in body["errors"])
        assert answer.headers["X-Completeness"] == "partial"
    wait_until(lambda: "errors" not in ask_web(query).json(), "the answer is complete again")


def test_screen_without_its_required_service_fails_alone(
    stack: RunningStack, edge: httpx.Client, ask_home: Ask
) -> None:
    """Without users there is no home screen; the BFF's honest 5xx never opens the edge's breaker for its other screens."""
    with stack.faults("users", error_rate=1.0, error_status=503):
        for _ in range(6):
            answer = ask_home()
            assert answer.status_code in (502, 503)
            assert answer.json()["code"] in ("upstream_failed", "upstream_unavailable")
            assert "x-trivium-origin" not in answer.headers
            product = edge.get("/api/mobile/products/p2", headers=stack.authorize("mobile"))
            assert product.status_code == 200
        assert edge.get("/api/iot/devices/d1", headers=stack.authorize("iot")).status_code == 200
    wait_until(lambda: is_complete(ask_home()), "the home screen is back")


def test_device_is_told_when_its_service_hangs(stack: RunningStack, edge: httpx.Client) -> None:
    """A device gets 503 or 504 within its route's time, phones and browsers go on."""

    def ask() -> httpx.Response:
        return edge.get("/api/iot/devices/d1", headers=stack.authorize("iot"))

    with stack.faults("devices", hang=True):
        began_s = time.monotonic()
        answer = ask()
        assert time.monotonic() - began_s < 3 * HANG_BOUND_S
        assert answer.status_code in (503, 504)
        assert answer.headers["Content-Type"] == "application/problem+json"
        mobile = edge.get("/api/mobile/home", headers=stack.authorize("mobile"))
        assert mobile.status_code == 200
        wait_until(lambda: ask().status_code == 503, "the breaker of devices opens")
        assert int(ask().headers["Retry-After"]) >= 1
    wait_until(lambda: ask().status_code == 200, "the device is served again")
