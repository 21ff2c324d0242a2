"""The links that lead to a target: one for a server or a Sentinel's master, one for each master of a Cluster."""

from typing import Protocol

from trivium_common.redis.availability import Availability, Listener
from trivium_common.redis.cluster import ClusterLinks
from trivium_common.redis.handover import connector
from trivium_common.redis.link import Link, LinkState, Settle, ignore
from trivium_common.redis.target import Topology, parse_target
from trivium_common.redis.wire import pack


class Links(Protocol):
    """Where commands go, whatever stands behind the URL."""

    def listen(self, listener: Listener) -> None:
        """Call `listener(availability)` whenever a server goes away or comes back."""

    def load_on_connect(self, command: tuple[bytes, ...]) -> None:
        """Send `command` now and on every connection made from now on (a script to load)."""

    def send_nowait(self, key: bytes, command: bytes, settle: Settle) -> bool:
        """Send `command` to the server that holds `key`; see Link.send_nowait."""

    async def wait_ready(self, timeout_s: float) -> bool:
        """Wait for the first connection, or its failure; whether commands can be sent."""

    async def run(self) -> None:
        """Keep the connections up until cancelled."""

    def snapshot(self) -> dict[str, object]:
        """State of each link, for `explain` and the control socket."""


class OneLink:
    """The links of a single server, or of the master that Sentinels name."""

    def __init__(self, url: str, *, timeout_s: float, connect_timeout_s: float, max_pending: int) -> None:
        target = parse_target(url)
        self._availability = availability = Availability(target.shown)
        self._preamble: list[tuple[bytes, ...]] = []
        connect = connector(target, timeout_s=connect_timeout_s, preamble=self._preamble)
        self._link = Link(connect, availability, timeout_s=timeout_s, max_pending=max_pending)

    def listen(self, listener: Listener) -> None:
        """Call `listener(availability)` whenever the server goes away or comes back."""
        self._availability.listen(listener)

    def load_on_connect(self, command: tuple[bytes, ...]) -> None:
        """Send `command` now and on every connection made from now on."""
        if command not in self._preamble:
            self._preamble.append(command)
            self._link.send_nowait(pack(command), ignore)

    def send_nowait(self, key: bytes, command: bytes, settle: Settle) -> bool:  # noqa: ARG002 - one server holds all
        """Send `command`; see Link.send_nowait."""
        return self._link.send_nowait(command, settle)

    async def wait_ready(self, timeout_s: float) -> bool:
        """Wait for the first connection or its failure."""
        return await self._link.wait_ready(timeout_s)

    async def run(self) -> None:
        """Keep the connection up until cancelled."""
        await self._link.run()

    def snapshot(self) -> dict[str, object]:
        """State of the link."""
        name = self._availability.name
        return {
            "redis": name,
            "is_up": self._link.state is LinkState.UP,
            "links": {name: self._link.snapshot()},
        }


def open_links(
    url: str, *, timeout_s: float = 0.05, connect_timeout_s: float = 0.5, max_pending: int = 10_000
) -> Links:
    """Links to what `url` names; they connect once `run` is started.

    Raises: ValueError, when the URL is wrong.
    """
    kind = ClusterLinks if parse_target(url).topology is Topology.CLUSTER else OneLink
    return kind(url, timeout_s=timeout_s, connect_timeout_s=connect_timeout_s, max_pending=max_pending)
