"""A77: phones that lose their connection are no fault of the service that they were waiting for."""

from collections.abc import Callable

import httpx
from raw_client import RawClient
from running_stack import RunningStack, wait_until

CLIENTS = 8
ORDERS = "/api/mobile/orders"


def test_calls_given_up_by_clients_open_no_breaker(
    stack: RunningStack,
    paced_edge: httpx.Client,
    stack_metrics: Callable[[str], float],
    linus: dict[str, dict[str, str]],
) -> None:
    """Eight wait for a service that hangs and leave: all calls end at once, and three failures would have opened it."""
    authorization = linus["mobile"]["Authorization"]
    request = f"GET {ORDERS} HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\n\r\n".encode()
    assert paced_edge.get(ORDERS, headers=linus["mobile"]).status_code == 200
    port = httpx.URL(stack.url("edge")).port
    assert port is not None

    with stack.faults("orders", hang=True, paths="/orders"):
        clients = [RawClient(port) for _ in range(CLIENTS)]
        for client in clients:
            client.send(request)
        wait_until(lambda: stack_metrics("trivium_in_flight") >= CLIENTS, "all of them wait")
        for client in clients:
            client.close()
        wait_until(lambda: stack_metrics("trivium_in_flight") == 0, "their calls have ended", limit_s=10)

    with stack.connect("mobile") as mobile:
        assert mobile.get("/readyz").json()["checks"]["orders"]["breaker"] == "closed"
    assert paced_edge.get(ORDERS, headers=linus["mobile"]).status_code == 200
