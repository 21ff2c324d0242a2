"""Links to the masters of a Redis Cluster: the slot map, and MOVED and ASK followed within the call's bound."""

import asyncio
from functools import partial
from typing import Any

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.crc import key_slot
from redis.exceptions import RedisError

from trivium_common.redis.availability import Availability, Listener
from trivium_common.redis.handover import connector
from trivium_common.redis.link import ErrorReply, Link, LinkState, Reply, Settle, ignore
from trivium_common.redis.target import parse_target
from trivium_common.redis.wire import pack

_ASKING = pack((b"ASKING",))
_REFRESH_S = 30.0
_RETRY_S = 0.5
_NOT_MADE_HERE = ("connection_class", "db", "host", "port", "path")

Node = tuple[str, int]


class ClusterLinks:
    """One link for each master. Keys of one call must share a hash tag."""

    def __init__(self, url: str, *, timeout_s: float, connect_timeout_s: float, max_pending: int) -> None:
        self._target = parse_target(url)
        # Of the map of slots; every master has its own.
        self._availability = Availability(self._target.shown)
        self._availability.listen(self._tell)
        self._listeners: list[Listener] = []
        self._timeout_s = timeout_s
        self._connect_timeout_s = connect_timeout_s
        self._max_pending = max_pending
        self._preamble: list[tuple[bytes, ...]] = []
        self._slots: dict[int, Node] = {}
        self._links: dict[Node, Link] = {}
        self._tasks: dict[Node, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._is_stale = asyncio.Event()
        self._ready = asyncio.Event()

    def listen(self, listener: Listener) -> None:
        """Call `listener(availability)` whenever a master or the map goes away or comes back."""
        self._listeners.append(listener)

    def load_on_connect(self, command: tuple[bytes, ...]) -> None:
        """Send `command` to every master now, and on every connection made from now on."""
        if command not in self._preamble:
            self._preamble.append(command)
            for link in self._links.values():
                link.send_nowait(pack(command), ignore)

    def send_nowait(self, key: bytes, command: bytes, settle: Settle) -> bool:
        """Send `command` to the master of `key`'s slot; see Link.send_nowait."""
        slot = key_slot(key)
        node = self._slots.get(slot)
        link = self._links.get(node) if node is not None else None
        if link is None:
            self._is_stale.set()
            return False
        if link.state is LinkState.DOWN:
            self._is_stale.set()
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        follow = partial(self._follow, slot, command, settle, deadline)
        return link.send_nowait(command, follow, deadline)

    async def wait_ready(self, timeout_s: float) -> bool:
        """Wait for the slot map and for every master's link."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
                for link in list(self._links.values()):
                    await link.wait_ready(timeout_s)
        except TimeoutError:
            pass
        return self._are_up()

    async def run(self) -> None:
        """Keep the slot map fresh and the connections up until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                self._is_stale.clear()
                try:
                    self._apply(await self._read_slots(), group)
                    self._availability.succeeded()
                except (RedisError, OSError, TimeoutError) as error:
                    self._availability.failed(str(error) or "no answer in time")
                    self._is_stale.set()
                self._ready.set()
                await asyncio.sleep(_RETRY_S)
                try:
                    async with asyncio.timeout(_REFRESH_S):
                        await self._is_stale.wait()
                except TimeoutError:
                    pass

    def snapshot(self) -> dict[str, object]:
        """State of each master's link."""
        links = {f"{host}:{port}": link.snapshot() for (host, port), link in self._links.items()}
        return {"redis": self._availability.name, "is_up": self._are_up(), "links": links}

    def _are_up(self) -> bool:
        return bool(self._links) and all(link.state is LinkState.UP for link in self._links.values())

    def _tell(self, availability: Availability) -> None:
        for listener in self._listeners:
            listener(availability)

    async def _read_slots(self) -> dict[int, Node]:
        """Which master holds which slot, asked with redis-py."""
        options: dict[str, Any] = {k: v for k, v in self._target.options.items() if k not in _NOT_MADE_HERE}
        nodes = [ClusterNode(host, port) for host, port in {*self._target.nodes, *self._links}]
        is_tls = "connection_class" in self._target.options  # redis-py's word for rediss://
        cluster = RedisCluster(
            startup_nodes=nodes,
            ssl=is_tls,
            require_full_coverage=False,
            socket_timeout=self._connect_timeout_s,
            socket_connect_timeout=self._connect_timeout_s,
            **options,
        )
        try:
            await cluster.initialize()
            cache = cluster.nodes_manager.slots_cache
            return {slot: (str(owners[0].host), int(owners[0].port)) for slot, owners in cache.items()}
        finally:
            await cluster.aclose()

    def _apply(self, slots: dict[int, Node], group: asyncio.TaskGroup) -> None:
        self._slots = slots
        masters = set(slots.values())
        for node in masters:
            self._link_to(node, group)
        for node in set(self._links) - masters:
            self._links.pop(node)
            self._tasks.pop(node).cancel()

    def _link_to(self, node: Node, group: asyncio.TaskGroup) -> Link:
        link = self._links.get(node)
        if link is None:
            connect = connector(
                self._target, node=node, timeout_s=self._connect_timeout_s, preamble=self._preamble
            )
            availability = Availability(f"{node[0]}:{node[1]}")
            availability.listen(self._tell)
            link = Link(connect, availability, timeout_s=self._timeout_s, max_pending=self._max_pending)
            self._links[node] = link
            self._tasks[node] = group.create_task(link.run())
        return link

    def _follow(self, slot: int, command: bytes, settle: Settle, deadline: float, reply: Reply) -> None:
        """Send a call on to where its slot has moved; any other reply is the caller's."""
        group = self._group
        if type(reply) is not ErrorReply or reply.code not in ("MOVED", "ASK") or group is None:
            settle(reply)
            return
        code, _, where = str(reply).split(" ", 2)
        host, _, port = where.rpartition(":")
        node = (host, int(port))
        link = self._link_to(node, group)
        if code == "MOVED":
            self._slots[slot] = node
            self._is_stale.set()
        elif not link.send_nowait(_ASKING, ignore, deadline):
            settle(reply)
            return
        # Once only: a second redirection is answered as a failure.
        if not link.send_nowait(command, settle, deadline):
            settle(reply)
