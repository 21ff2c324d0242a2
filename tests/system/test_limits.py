"""A caller above its limit is told when to come back, and nobody else notices."""

import asyncio
import time

import httpx
from running_stack import RunningStack

from trivium_common.auth.development import DEVICE_API_KEYS

# d2 is this test's own device: other tests are d1.
HEADERS = {"X-API-Key": DEVICE_API_KEYS["d2"]}
PATH = "/api/iot/devices/d2"
AT_ONCE = 60
ROUNDS = 10


async def test_device_above_its_limit_is_told_truly_when_to_come_back(stack: RunningStack) -> None:
    """429 with the documented body; after Retry-After the device is served again, its neighbour always."""
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(
        base_url=stack.url("edge"), limits=limits, timeout=30, trust_env=False
    ) as edge:
        refused = await flood_until_refused(edge)
        refused_at_s = time.monotonic()
        neighbour = await edge.get("/api/iot/devices/d1", headers=stack.authorize("iot"))
        assert neighbour.status_code == 200

        wait_s = int(refused.headers["Retry-After"])
        assert 1 <= wait_s <= 5
        assert refused.headers["Content-Type"] == "application/problem+json"
        body = refused.json()
        assert body["error"] == "Rate limit exceeded"
        assert body["retry_after"] == wait_s
        assert (body["status"], body["code"]) == (429, "rate_limited")

        await asyncio.sleep(max(0.0, refused_at_s + wait_s - time.monotonic()))
        assert (await edge.get(PATH, headers=HEADERS)).status_code == 200


async def flood_until_refused(edge: httpx.AsyncClient) -> httpx.Response:
    """Send requests at once, on many connections, until one is refused for its number."""
    for _ in range(ROUNDS):
        async with asyncio.TaskGroup() as tasks:
            calls = [tasks.create_task(edge.get(PATH, headers=HEADERS)) for _ in range(AT_ONCE)]
        answers = [call.result() for call in calls]
        assert {answer.status_code for answer in answers} <= {200, 429}
        for answer in answers:
            if answer.status_code == 429:
                return answer
    raise AssertionError(f"{ROUNDS * AT_ONCE} requests at once and none refused")
