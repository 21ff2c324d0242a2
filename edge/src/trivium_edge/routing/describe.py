"""Which route a request would take, told without running an edge: for `trivium-edge route` and the admin API."""

from typing import Any
from urllib.parse import urlsplit

from trivium_common.errors import MethodNotAllowed, NotFound
from trivium_edge.config.load import LoadedConfig
from trivium_edge.proxy.paths import compile_rewrite, normalise_path
from trivium_edge.routing.entries import compile_entries, pair_up
from trivium_edge.routing.table import RouteTable


def describe_routes(loaded: LoadedConfig) -> list[dict[str, Any]]:
    """All routes in the order of the file, with their filters and the line that configures them."""
    return [describe_route(loaded, index) for index in range(len(loaded.config.routes))]


def describe_route(loaded: LoadedConfig, index: int) -> dict[str, Any]:
    """One route by its place in the configuration."""
    route = loaded.config.routes[index]
    filters = loaded.config.filters_of(route)
    return {
        "id": route.id,
        "uri": route.uri,
        "hosts": list(route.hosts),
        "methods": list(route.methods),
        "upstream": route.upstream,
        "client_kind": route.client_kind,
        "audience": route.audience,
        "filters": filters.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True),
        "configured_at": loaded.place("routes", index),
    }


class RouteFinder:
    """Answers for one configuration; its table is built once."""

    def __init__(self, loaded: LoadedConfig) -> None:
        self._loaded = loaded
        self._table = RouteTable(compile_entries(loaded.config))

    def find(self, method: str, url: str) -> dict[str, Any]:
        """The route that a request would take, and the path as it is matched and as the upstream sees it.

        Raises: NotFound, MethodNotAllowed, BadRequest for a path that has no safe reading.
        """
        parts = urlsplit(url)
        path = normalise_path(parts.path or "/")
        try:
            entry = self._table.match(method.upper(), (parts.hostname or "").lower(), path)
        except MethodNotAllowed as error:
            raise MethodNotAllowed(
                f"{path} takes {error.extensions['allow']}, not {method.upper()}"
            ) from None
        if entry is None:
            raise NotFound(f"no route takes {path}")
        rewrite = self._loaded.config.filters_of(self._loaded.config.routes[entry.index]).proxy_rewrite
        return {
            "path": path,
            "upstream_path": path if rewrite is None else compile_rewrite(pair_up(rewrite.regex_uri))(path),
            "route": describe_route(self._loaded, entry.index),
        }
