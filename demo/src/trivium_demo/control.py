"""The loopback endpoint /_control that sets and clears faults."""

import ipaddress

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from trivium_demo.faults import NO_FAULTS, FaultInjector, FaultPlan
from trivium_demo.problems import Problem, problem_response

CONTROL_PATH = "/_control"


class Control:
    """ASGI middleware that answers /_control for callers on this machine."""

    def __init__(self, app: ASGIApp, injector: FaultInjector) -> None:
        self._app = app
        self._injector = injector

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the control path, pass everything else on."""
        if scope["path"] != CONTROL_PATH:
            await self._app(scope, receive, send)
            return
        try:
            response = await self._answer(Request(scope, receive))
        except Problem as problem:
            response = problem_response(problem)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.client is None or not _is_loopback(request.client.host):
            raise Problem(403, "forbidden", "faults can be set from this machine only")
        # A foreign name that resolves to this machine would make a web page's request look like one of its own origin.
        if not _is_loopback(request.url.hostname or ""):
            raise Problem(
                403, "forbidden", "faults can be set by the address 127.0.0.1, [::1] or localhost only"
            )
        if request.method == "POST":
            self._injector.plan = await _read_plan(request)
        elif request.method == "DELETE":
            self._injector.plan = NO_FAULTS
        elif request.method != "GET":
            raise Problem(405, "method_not_allowed", "use GET, POST or DELETE")
        return Response(self._injector.plan.model_dump_json(), media_type="application/json")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _read_plan(request: Request) -> FaultPlan:
    # A web page can post a form or text to this machine unasked; JSON it cannot, without a preflight that nobody answers.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "unsupported_media_type", "send Content-Type: application/json")
    try:
        return FaultPlan.model_validate_json(await request.body())
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise Problem(422, "invalid_input", "; ".join(faults)) from error
