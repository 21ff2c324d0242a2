"""What a decision says about its route: why it won, and every check and limit with the line that configures it."""

from collections.abc import Mapping
from typing import Any

from trivium_edge.config.models import Filters, RouteSettings
from trivium_edge.routing.pattern import FIELD, parse_pattern


def explain_route(route: RouteSettings, filters: Filters, places: Mapping[str, str]) -> dict[str, Any]:
    """The part of a decision that is the same for all requests of a route; made once, at load."""
    return {
        "id": route.id,
        "uri": route.uri,
        "configured_at": places.get(route.id, ""),
        "why": _explain_match(route),
        "checks": _list_checks(route, filters, places),
        "limits": {
            f"{route.id}/{limit.name or limit.limit_by}": {
                "rate": limit.rate,
                "burst": limit.burst,
                "limit_by": limit.limit_by,
                "configured_at": places.get(f"{route.id}/limit", ""),
            }
            for limit in filters.limit
        },
    }


def _explain_match(route: RouteSettings) -> str:
    pattern = parse_pattern(route.uri)
    path = "everything below" if pattern.is_prefix else "exactly"
    fields = pattern.segments.count(FIELD)
    with_fields = f" with {fields} field{'s' if fields > 1 else ''}" if fields else ""
    host = f"host {' or '.join(route.hosts)}" if route.hosts else "any host"
    method = f"method {' or '.join(route.methods)}" if route.methods else "any method"
    return f"the most specific route for the path: {path} {route.uri.removesuffix('*')}{with_fields}; {host}; {method}"


def _list_checks(route: RouteSettings, filters: Filters, places: Mapping[str, str]) -> list[dict[str, Any]]:
    """The checks in the order in which they run, and the errors that each refuses with."""
    credentials = [
        name for name, on in (("jwt-auth", filters.jwt_auth), ("key-auth", filters.key_auth)) if on
    ]
    checks = []
    if credentials:
        place = places.get(f"{route.id}/{credentials[0]}", "")
        codes = ("authentication_required", "invalid_credential")
        checks.append(_check("authenticate", " or ".join(credentials), place, codes))
    if route.client_kind is not None:
        told = f"client_kind is {route.client_kind}"
        checks.append(_check("authorise", told, places.get(route.id, ""), ("wrong_client_kind",)))
    if filters.acl is not None:
        checks.append(_check("authorise", "acl", places.get(f"{route.id}/acl", ""), ("forbidden",)))
    return checks


def _check(step: str, check: str, configured_at: str, refuses_with: tuple[str, ...]) -> dict[str, Any]:
    return {"step": step, "check": check, "configured_at": configured_at, "refuses_with": refuses_with}
