"""Routes as the table wants them, and no more: for checking and for asking which one a request would take."""

from dataclasses import dataclass

from trivium_edge.config.models import GatewayConfig
from trivium_edge.routing.pattern import PathPattern, parse_pattern


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One route by its place in the configuration."""

    index: int
    pattern: PathPattern
    hosts: tuple[str, ...]
    methods: frozenset[str]


def pair_up(regex_uri: tuple[str, ...]) -> list[tuple[str, str]]:
    """The patterns and replacements of a rewrite, in pairs."""
    return list(zip(regex_uri[::2], regex_uri[1::2], strict=True))


def compile_entries(config: GatewayConfig) -> list[RouteEntry]:
    """All routes whose uri can be read; the checks tell about the others."""
    entries = []
    for index, route in enumerate(config.routes):
        try:
            pattern = parse_pattern(route.uri)
        except ValueError:
            continue
        entries.append(RouteEntry(index, pattern, route.hosts, frozenset(route.methods)))
    return entries
