"""/livez: the supervisor runs. /readyz and /health: the edge can serve, and how it fares in detail.

Not ready (503): no worker serves, the edge drains, or it has never had the keys of a token issuer. Ready but
`degraded` (200): fewer workers than configured, keys that cannot be renewed, a refused reload, Redis away.
"""

import asyncio
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trivium_edge.supervisor.http import answer_json
from trivium_edge.supervisor.pool import WorkerPool
from trivium_edge.supervisor.state import EdgeState

_REDIS_TIMEOUT_S = 0.3


class StatusApp:
    """The ASGI app of the status port."""

    def __init__(self, pool: WorkerPool, state: EdgeState) -> None:
        self._pool = pool
        self._state = state

    async def __call__(self, scope: Mapping[str, Any], _receive: Any, send: Any) -> None:
        """Answer one request."""
        match scope["path"]:
            case "/livez":
                await answer_json(send, 200, {"status": "alive"})
            case "/readyz" | "/health":
                status, document = await self.describe()
                await answer_json(send, status, document)
            case _:
                await answer_json(
                    send, 404, {"status": "not found", "paths": ["/livez", "/readyz", "/health"]}
                )

    async def describe(self) -> tuple[int, dict[str, Any]]:
        """The status and document of /readyz."""
        reports = await self._pool.ask_all("status")
        serving = [report for report in reports if report["serving"]]
        issuers = _join_issuers(serving)
        checks: dict[str, Any] = {
            "workers": {
                "serving": len(serving),
                "configured": self._pool.count,
                "restarts": self._pool.restarts,
            },
            "configuration": {
                "generation": self._pool.snapshot.generation if self._pool.snapshot is not None else 0,
                "file": self._state.config_path,
                "problem": self._state.reload_problem,
            },
            "issuers": issuers,
            "breakers": _list_breakers(serving),
            "redis": await _check_redis(),
        }
        if self._state.is_draining:
            return 503, {"status": "draining", "checks": checks}
        if not serving or not all(
            self._state.has_had_keys(name, issuer["ready"]) for name, issuer in issuers.items()
        ):
            return 503, {"status": "unavailable", "checks": checks}
        is_whole = (
            len(serving) == self._pool.count
            and not self._state.reload_problem
            and all(issuer["ready"] and not issuer["problem"] for issuer in issuers.values())
            and checks["redis"]["status"] != "unavailable"
        )
        return 200, {"status": "ready" if is_whole else "degraded", "checks": checks}


def _join_issuers(reports: list[dict[str, Any]]) -> dict[str, Any]:
    """Each issuer over all workers: ready where any worker has its keys, with the first problem that is told."""
    joined: dict[str, Any] = {}
    for report in reports:
        for name, issuer in report["issuers"].items():
            known = joined.setdefault(name, {"ready": False, "problem": None})
            known["ready"] = known["ready"] or issuer["ready"]
            known["problem"] = known["problem"] or issuer["problem"]
    return joined


def _list_breakers(reports: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The state of each node's breaker, one entry per worker (breakers are per process)."""
    states: dict[str, list[str]] = {}
    for report in reports:
        for name, upstream in report["upstreams"].items():
            for node in upstream["nodes"]:
                states.setdefault(f"{name} {node['url']}", []).append(node["breaker"] or "off")
    return states


async def _check_redis() -> dict[str, str]:
    url = os.environ.get("REDIS_STATE_URL") or os.environ.get("REDIS_URL")
    if not url:
        return {"status": "not configured"}
    try:
        parts = urlsplit(url)
        async with asyncio.timeout(_REDIS_TIMEOUT_S):
            if parts.scheme == "unix":
                reader, writer = await asyncio.open_unix_connection(parts.path)
            else:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
            try:
                writer.write(b"PING\r\n")
                # Any answer will do: one that asks for a password is a server that is there.
                is_there = bool(await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        return {"status": "unavailable"}
    return {"status": "ok" if is_there else "unavailable"}
