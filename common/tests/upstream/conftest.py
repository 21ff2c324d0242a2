"""A fake upstream on a real socket, and the client under test."""

from collections.abc import AsyncIterator, Callable

import pytest

from trivium_common.app.testing import FakeUpstreams, serve_app
from trivium_common.resilience.breaker import BreakerPolicy
from trivium_common.upstream.client import Upstream


@pytest.fixture
def fake() -> FakeUpstreams:
    return FakeUpstreams(
        answers={
            "GET /orders/orders/.*": {"id": "o1", "status": "shipped", "internal_note": "do not show"},
            "GET /orders/orders": lambda call: {"query": call.query},
            "(POST|PUT|PATCH) /orders/.*": lambda call: {"id": "o2", "status": call.body.decode()},
            "DELETE /orders/.*": {},
        }
    )


MakeUpstream = Callable[..., Upstream]


@pytest.fixture
async def make_upstream(fake: FakeUpstreams) -> AsyncIterator[MakeUpstream]:
    made: list[Upstream] = []
    async with serve_app(fake) as url:

        def make(**options: object) -> Upstream:
            options.setdefault("breaker", BreakerPolicy(base_wait_s=30.0, jitter=0.0))
            upstream = Upstream("orders", f"{url}/orders", **options)  # type: ignore[arg-type]
            made.append(upstream)
            return upstream

        yield make
        for upstream in made:
            await upstream.aclose()
