"""The admin API as a FastAPI app. Reading works in every mode; configuration is changed in its file."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Body, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from trivium_common.errors import (
    PROBLEM_MEDIA_TYPE,
    Conflict,
    InvalidInput,
    NotFound,
    TriviumError,
    render_problem,
)
from trivium_common.observability.context import current_request_id
from trivium_edge.admin.gate import AdminGate
from trivium_edge.admin.views import describe_consumers, describe_upstreams, export_config
from trivium_edge.control.channel import CallFailed
from trivium_edge.routing.describe import RouteFinder, describe_routes

if TYPE_CHECKING:
    from trivium_edge.supervisor.run import Supervisor

_FILE_MODE = (
    "the configuration comes from a file (config.source: file): change the file, it is picked up at once; "
    "POST /reload picks it up now"
)


def create_admin_app(supervisor: "Supervisor") -> AdminGate:
    """The admin API over a running supervisor, behind its keys."""
    app = FastAPI(title="Trivium edge: admin API", version="1", docs_url=None, redoc_url=None)
    app.add_exception_handler(TriviumError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    _add_reading(app, supervisor)
    _add_decisions(app, supervisor)
    _add_acting(app, supervisor)
    _add_refused_writes(app)
    return AdminGate(app, supervisor.reloader.loaded.config.global_.admin.keys)


def _add_reading(app: FastAPI, supervisor: "Supervisor") -> None:
    @app.get("/config", operation_id="getConfig")
    async def get_config() -> dict[str, Any]:
        """The configuration in force as it is written, references unresolved, secrets left out."""
        loaded = supervisor.reloader.loaded
        return {"generation": supervisor.reloader.generation, "config": export_config(loaded.tree)}

    @app.get("/config/warnings", operation_id="getConfigWarnings")
    async def get_warnings() -> dict[str, Any]:
        """What is legal in the configuration in force and probably not meant, and why a reload was refused."""
        return {
            "warnings": [str(warning) for warning in supervisor.reloader.loaded.warnings],
            "reload_problem": supervisor.state.reload_problem,
        }

    @app.get("/routes", operation_id="listRoutes")
    async def list_routes() -> dict[str, Any]:
        """All routes with their filters and the line that configures them."""
        return {"items": describe_routes(supervisor.reloader.loaded)}

    @app.get("/routes/{route_id}", operation_id="getRoute")
    async def get_route(route_id: str) -> dict[str, Any]:
        """One route."""
        for route in describe_routes(supervisor.reloader.loaded):
            if route["id"] == route_id:
                return route
        raise NotFound(f"there is no route {route_id}")

    @app.get("/match", operation_id="matchRoute")
    async def match_route(url: Annotated[str, Query(max_length=8192)], method: str = "GET") -> dict[str, Any]:
        """The route that a request would take, and what it would pass through."""
        return RouteFinder(supervisor.reloader.loaded).find(method, url)

    @app.get("/upstreams", operation_id="listUpstreams")
    async def list_upstreams() -> dict[str, Any]:
        """All upstreams; connections and breakers per worker, since each worker has its own."""
        return {"items": describe_upstreams(await supervisor.pool.ask_all("status"))}

    @app.get("/consumers", operation_id="listConsumers")
    async def list_consumers() -> dict[str, Any]:
        """All consumers, their client ids and the names of their keys."""
        return {"items": describe_consumers(supervisor.reloader.loaded.config)}

    @app.get("/workers", operation_id="listWorkers")
    async def list_workers() -> dict[str, Any]:
        """All workers and what they report of themselves."""
        return {"items": await supervisor.pool.ask_all("status"), "restarts": supervisor.pool.restarts}


def _add_decisions(app: FastAPI, supervisor: "Supervisor") -> None:
    @app.get("/decisions", operation_id="listDecisions")
    async def list_decisions(count: Annotated[int, Query(ge=1, le=200)] = 20) -> dict[str, Any]:
        """The latest requests that were kept: every refusal and failure, a sample of the others."""
        answers = await supervisor.pool.ask_all("recent", {"count": count})
        return {"items": [decision for answer in answers for decision in answer]}

    @app.get("/decisions/{request_id}", operation_id="explainRequest")
    async def explain(request_id: str) -> dict[str, Any]:
        """Why a request went as it did."""
        for decision in await supervisor.pool.ask_all("explain", {"request_id": request_id}):
            return dict(decision)
        raise NotFound("no worker kept this request: successes are sampled, and the oldest are forgotten")


def _add_acting(app: FastAPI, supervisor: "Supervisor") -> None:
    @app.post("/reload", operation_id="reload")
    async def reload() -> dict[str, Any]:
        """Read the configuration file again; a bad one is refused and changes nothing."""
        problem = await supervisor.reloader.reload("admin API")
        if problem is not None:
            raise InvalidInput(problem)
        return {"generation": supervisor.reloader.generation}

    @app.post("/upstreams/{name}/breaker", operation_id="setBreaker")
    async def set_breaker(
        name: str,
        state: Annotated[Literal["open", "closed"], Body()],
        wait_s: Annotated[float, Body(gt=0, le=86400)] = 60.0,
        node: Annotated[str | None, Body()] = None,
    ) -> dict[str, Any]:
        """Open (for `wait_s`) or close the breakers of an upstream, or of one node, in all workers."""
        if name not in supervisor.reloader.loaded.config.upstreams:
            raise NotFound(f"there is no upstream {name}")
        try:
            await supervisor.pool.ask_all(
                "breaker", {"upstream": name, "node": node, "state": state, "wait_s": wait_s}
            )
        except* CallFailed as failed:
            raise InvalidInput(str(failed.exceptions[0])) from None
        return {"upstream": name, "state": state}


def _add_refused_writes(app: FastAPI) -> None:
    async def refuse() -> Response:
        raise Conflict(_FILE_MODE)

    for path in ("/config", "/routes", "/upstreams", "/consumers"):
        for below in ("", "/{name}"):
            app.add_api_route(
                path + below, refuse, methods=["POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
            )


async def _answer_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, TriviumError)  # noqa: S101 - registered for this class only
    body = render_problem(error, current_request_id())
    return Response(body, status_code=error.status, media_type=PROBLEM_MEDIA_TYPE)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    faults = "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()
    )
    return await _answer_error(request, InvalidInput(faults))
