"""One generation of the configuration as it travels from the supervisor to the workers.

Workers never read the file: what the supervisor checked is what they run, also one that is started later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trivium_edge.config.models import GatewayConfig

if TYPE_CHECKING:
    from trivium_edge.config.load import LoadedConfig


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checked configuration and its number. `places`: `route` and `route/filter` → `file:line`."""

    generation: int
    config: GatewayConfig
    places: Mapping[str, str]

    @classmethod
    def of(cls, loaded: "LoadedConfig", generation: int) -> "Snapshot":
        """The snapshot of a loaded configuration."""
        return cls(generation, loaded.config, _list_places(loaded))

    def pack(self) -> dict[str, Any]:
        """The snapshot as JSON types. It holds secrets: for the control channel only."""
        return {
            "generation": self.generation,
            # Only what was set: a shared filter yields to what a route sets itself, so the difference matters.
            "config": self.config.model_dump(mode="json", by_alias=True, exclude_unset=True),
            "places": dict(self.places),
        }

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> "Snapshot":
        """The snapshot that `pack` has packed."""
        return cls(packed["generation"], GatewayConfig.model_validate(packed["config"]), packed["places"])


def _list_places(loaded: "LoadedConfig") -> dict[str, str]:
    places: dict[str, str] = {}
    shared = loaded.config.filters.model_dump(by_alias=True, exclude_unset=True)
    for index, route in enumerate(loaded.config.routes):
        places[route.id] = loaded.place("routes", index)
        own = route.filters.model_dump(by_alias=True, exclude_unset=True)
        for name in {**shared, **own}:
            places[f"{route.id}/{name}"] = (
                loaded.place("routes", index, "filters", name)
                if name in own
                else loaded.place("filters", name)
            )
    return places
