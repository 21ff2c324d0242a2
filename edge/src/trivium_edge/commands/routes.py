"""`trivium-edge routes` and `trivium-edge route METHOD URL`: what a configuration does with requests."""

from typing import Any

from trivium_common.errors import TriviumError
from trivium_edge.commands.output import EXIT_FAILED, complain, load_or_refuse, say
from trivium_edge.routing.describe import RouteFinder, describe_routes


def list_routes(path: str) -> int:
    """Print a line for each route."""
    routes = describe_routes(load_or_refuse(path))
    width = max((len(route["id"]) for route in routes), default=0)
    for route in routes:
        methods = ",".join(route["methods"]) or "any"
        where = f"{'|'.join(route['hosts'])}{route['uri']}"
        steps = ", ".join(_describe_steps(route))
        say(
            f"{route['id']:<{width}}  {methods} {where} -> {route['upstream']}  [{steps}]  {route['configured_at']}"
        )
    return 0


def find_route(path: str, method: str, url: str) -> int:
    """Print the route that a request takes and what it passes through; 1 when no route takes it."""
    try:
        found = RouteFinder(load_or_refuse(path)).find(method, url)
    except TriviumError as error:
        complain(f"{error.status} {error.code}: {error.detail}")
        return EXIT_FAILED
    route = found["route"]
    say(f"route      {route['id']}  ({route['configured_at']})")
    say(f"path       {found['path']}")
    say(f"upstream   {route['upstream']}  {found['upstream_path']}")
    say(f"clients    {route['client_kind'] or 'every kind'}")
    for step in _describe_steps(route):
        say(f"step       {step}")
    return 0


def _describe_steps(route: dict[str, Any]) -> list[str]:
    """What a route does, in the order in which it happens."""
    filters = route["filters"]
    steps = [name for name in ("jwt-auth", "key-auth", "acl") if name in filters]
    for limit in filters.get("limit", ()):
        counted = limit.get("limit_by", "subject")
        steps.append(f"limit {limit['rate']:g}/s burst {limit['burst']} by {counted}")
    steps += [name for name in ("proxy-rewrite", "response-headers") if name in filters]
    return steps
