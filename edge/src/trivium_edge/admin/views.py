"""What the admin API shows of the configuration. Secrets and what `${...}` resolved to are never part of it."""

from typing import Any
from urllib.parse import urlsplit

from trivium_common.errors import MethodNotAllowed, NotFound
from trivium_edge.config.load import LoadedConfig
from trivium_edge.config.models import GatewayConfig
from trivium_edge.config.positions import Node
from trivium_edge.proxy.paths import normalise_path
from trivium_edge.routing.entries import compile_entries
from trivium_edge.routing.table import RouteTable

_SECRET = frozenset({"hash", "key", "secret", "password"})


def export_config(tree: Node, key: str = "") -> object:
    """The configuration as it is written: `${...}` by its name, secrets cut out."""
    if isinstance(tree.value, dict):
        return {name: export_config(child, name) for name, child in tree.value.items()}
    if isinstance(tree.value, list):
        return [export_config(child, key) for child in tree.value]
    if tree.references:
        return " ".join(tree.references)
    return "REDACTED" if key in _SECRET and tree.value else tree.value


def describe_routes(loaded: LoadedConfig) -> list[dict[str, Any]]:
    """All routes in the order of the file."""
    return [_describe_route(loaded, index) for index in range(len(loaded.config.routes))]


def _describe_route(loaded: LoadedConfig, index: int) -> dict[str, Any]:
    route = loaded.config.routes[index]
    filters = loaded.config.filters_of(route)
    shown = filters.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return {
        "id": route.id,
        "uri": route.uri,
        "hosts": route.hosts,
        "methods": route.methods,
        "upstream": route.upstream,
        "client_kind": route.client_kind,
        "audience": route.audience,
        "filters": shown,
        "configured_at": loaded.place("routes", index),
    }


def find_route(loaded: LoadedConfig, method: str, url: str) -> dict[str, Any]:
    """The route that a request would take. Raises: NotFound, MethodNotAllowed, BadRequest."""
    parts = urlsplit(url)
    path = normalise_path(parts.path or "/")
    table = RouteTable(compile_entries(loaded.config))
    try:
        entry = table.match(method, (parts.hostname or "").lower(), path)
    except MethodNotAllowed as error:
        allowed = error.extensions["allow"]
        raise MethodNotAllowed(f"{path} takes {allowed}, not {method}") from None
    if entry is None:
        raise NotFound(f"no route takes {path}")
    return {"path": path, "route": _describe_route(loaded, entry.index)}


def describe_upstreams(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each upstream with its nodes, and of each node the state in every worker."""
    upstreams: dict[str, dict[str, dict[str, Any]]] = {}
    for report in reports:
        for name, upstream in report["upstreams"].items():
            for node in upstream["nodes"]:
                shown = upstreams.setdefault(name, {}).setdefault(
                    node["url"], {"url": node["url"], "weight": node["weight"], "workers": []}
                )
                state = {key: value for key, value in node.items() if key not in ("url", "weight")}
                shown["workers"].append({"worker": report["worker"], **state})
    return [{"name": name, "nodes": list(nodes.values())} for name, nodes in upstreams.items()]


def describe_consumers(config: GatewayConfig) -> list[dict[str, Any]]:
    """All consumers without the hashes of their keys."""
    return [
        {
            "name": consumer.name,
            "kind": consumer.kind,
            "groups": consumer.groups,
            "client_ids": consumer.client_ids,
            "api_keys": [{"id": key.id, "subject": key.subject} for key in consumer.api_keys],
        }
        for consumer in config.consumers
    ]
