"""A105: one screen's source is down, and its BFF says so a hundred times. The node is well; other screens are served."""

from collections.abc import Callable

import httpx
from running_stack import RunningStack, wait_until

TIMES = 100
OPENED = 'trivium_breaker_transitions_total to="open" upstream="mobile"'


def test_a_hundred_refusals_on_purpose_open_no_breaker_at_the_edge(
    stack: RunningStack,
    paced_edge: httpx.Client,
    stack_metrics: Callable[[str], float],
    linus: dict[str, dict[str, str]],
) -> None:
    def ask(path: str) -> httpx.Response:
        return paced_edge.get(f"/api/mobile/{path}", headers=linus["mobile"])

    before = stack_metrics(OPENED)
    with stack.faults("products", error_rate=1.0, error_status=503):
        for _ in range(TIMES):
            refused = ask("products/p1")
            assert refused.status_code in (502, 503)
            # Said by the BFF: the edge's own refusal would name its upstream's breaker.
            assert refused.json()["code"] in ("upstream_failed", "upstream_unavailable")
            assert "x-trivium-origin" not in refused.headers
            assert ask("me").status_code == 200
    assert stack_metrics(OPENED) == before
    wait_until(lambda: ask("products/p1").status_code == 200, "the screen is back")
