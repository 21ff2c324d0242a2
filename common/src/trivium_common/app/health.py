"""/livez, /readyz and /health (the same as /readyz): for orchestrators and the edge's active checks."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from fastapi import APIRouter, Response

from trivium_common.upstream.client import Upstream

HEALTH_PATHS = ("/livez", "/readyz", "/health")


@dataclass(slots=True)
class Health:
    """Whether the app serves, and what its upstreams look like from here.

    An open breaker is shown and does not make the BFF unready: its other screens still work.
    """

    upstreams: Sequence[Upstream]
    is_serving: bool = False

    def render(self) -> Response:
        """200 while serving, 503 before and after."""
        checks = {upstream.name: {"breaker": str(upstream.breaker_state)} for upstream in self.upstreams}
        body = {"status": "ready" if self.is_serving else "stopping", "checks": checks}
        return _json(body, 200 if self.is_serving else 503)


def health_router(health: Health) -> APIRouter:
    """The three endpoints, left out of the OpenAPI document: they are not reachable through the edge."""
    router = APIRouter(include_in_schema=False)

    @router.get("/livez")
    async def livez() -> Response:
        return _json({"status": "alive"}, 200)

    @router.get("/readyz")
    @router.get("/health")
    async def readyz() -> Response:
        return health.render()

    return router


def _json(body: object, status: int) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
