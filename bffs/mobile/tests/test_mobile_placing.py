"""Placing an order against the demo's orders service: once for each key, whatever happens on the way."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from trivium_common.app.testing import edge_headers, serve_app
from trivium_mobile.app import build_app
from trivium_mobile.settings import MobileSettings

ORDER = {"lines": [{"product_id": "p7", "quantity": 2}]}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    environment = {"TRIVIUM_PORT": "0", "TRIVIUM_DATA_DIR": str(tmp_path), "TRIVIUM_LOG": "json"}
    command = [sys.executable, "-m", "trivium_demo", "orders"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - a fixture
        assert process.stderr is not None
        try:
            port = None
            while port is None:
                port = json.loads(await asyncio.to_thread(process.stderr.readline)).get("port")
            app = build_app(MobileSettings(orders_url=f"http://127.0.0.1:{port}"))
            async with (
                serve_app(app) as url,
                httpx.AsyncClient(
                    base_url=url, trust_env=False, headers=edge_headers("mobile", "u1")
                ) as client,
            ):
                yield client
        finally:
            process.kill()


async def test_one_key_places_one_order(shop: httpx.AsyncClient) -> None:
    """Ten at once and a repetition are one order; another body with the key is 422; another person's key is theirs."""

    async def place(key: str, body: object = ORDER, person: str = "u1") -> httpx.Response:
        headers = {**edge_headers("mobile", person), "idempotency-key": key}
        return await shop.post("/orders", json=body, headers=headers)

    async with asyncio.TaskGroup() as group:
        racing = [group.create_task(place("k1")) for _ in range(10)]
    placed = {task.result().json()["id"] for task in racing}
    repeated = await place("k1")
    changed = await place("k1", {"lines": [{"product_id": "p8", "quantity": 1}]})
    of_another = await place("k1", person="u2")

    assert placed == {repeated.json()["id"]}
    assert {task.result().status_code for task in racing} == {201}
    assert (changed.status_code, changed.json()["code"]) == (422, "invalid_input")
    assert of_another.json()["id"] not in placed
    newest = (await shop.get("/orders", params={"limit": 2})).json()["items"]
    assert newest[0]["id"] in placed
    assert newest[1]["id"] not in placed
    assert (await shop.get(f"/orders/{of_another.json()['id']}")).status_code == 404
