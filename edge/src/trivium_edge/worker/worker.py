"""The life of a worker: take a configuration, serve, take further ones, answer questions, drain, end."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from trivium_common.auth.edge_identity import EdgeIdentitySigner, UnusableKey, load_private_key
from trivium_common.http.limits import ServerLimits
from trivium_common.resilience.breaker import BreakerState
from trivium_edge.auth.issuers import IssuerSet
from trivium_edge.config.global_models import Global
from trivium_edge.control.channel import CallFailed, ControlChannel
from trivium_edge.control.snapshot import Snapshot
from trivium_edge.limits.limits import LimiterStore
from trivium_edge.proxy import IdentityHeaders, Proxy, ProxySettings, Upstream, UpstreamSpec
from trivium_edge.routing.compile import TableCompiler
from trivium_edge.routing.route import Route
from trivium_edge.routing.table import RouteTable
from trivium_edge.telemetry.access_log import AccessLog
from trivium_edge.telemetry.decisions import Decisions
from trivium_edge.telemetry.recorder import Recorder
from trivium_edge.worker.report import collect_samples, describe_status

log = logging.getLogger(__name__)


class Tables:
    """Holds the table in force; requests read it once and keep what they got."""

    def __init__(self, table: RouteTable[Route]) -> None:
        self.table: RouteTable[Route] = table


class Worker:
    """One worker. Not configured until the supervisor has sent a snapshot."""

    def __init__(self, index: int, control: socket.socket, listeners: Sequence[socket.socket]) -> None:
        self.index = index
        self.tables: Tables | None = None
        self.proxy: Proxy | None = None
        self.decisions = Decisions()
        self.recorder: Recorder | None = None
        self.issuers: IssuerSet | None = None
        self.compiler: TableCompiler | None = None
        self._access_log: AccessLog | None = None
        self._control = control
        self._listeners = listeners

    async def run(self) -> None:
        """Serve until drained, or until the supervisor is gone, which means the same."""
        channel = await ControlChannel.open(
            self._control,
            {
                "configure": self._configure,
                "status": self._status,
                "metrics": self._metrics,
                "explain": self._explain,
                "recent": self._recent,
                "breaker": self._set_breaker,
                "drain": self._drain,
            },
        )
        async with asyncio.TaskGroup() as tasks:
            self.issuers = IssuerSet(tasks)
            self.compiler = TableCompiler(self.issuers, LimiterStore(), self._make_upstream)
            await channel.run()
            if self.proxy is not None:
                await self.proxy.drain(1.0)
            self.issuers.keep_only(())
        if self._access_log is not None:
            self._access_log.close()

    # --- calls of the supervisor

    async def _configure(self, args: Mapping[str, Any]) -> None:
        """Put a snapshot in force: the whole of it, or nothing."""
        snapshot = Snapshot.unpack(args["snapshot"])
        assert self.compiler is not None  # noqa: S101 - run() makes it before it answers calls
        try:
            table = self.compiler.compile(snapshot)
        except ValueError as error:
            raise CallFailed(str(error)) from error
        if self.tables is not None:
            self.tables.table = table
            return
        self.tables = Tables(table)
        await self._serve(snapshot.config.global_, self.tables)

    async def _status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return describe_status(self)

    async def _metrics(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return collect_samples(self).pack()

    async def _explain(self, args: Mapping[str, Any]) -> dict[str, Any] | None:
        decision = self.decisions.find(args["request_id"])
        return None if decision is None else {"worker": self.index, **decision}

    async def _recent(self, args: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"worker": self.index, **decision} for decision in self.decisions.recent(args["count"])]

    async def _set_breaker(self, args: Mapping[str, Any]) -> None:
        """Open or close the breaker of a node, as an operator asks."""
        upstream = self.compiler.upstreams.get(args["upstream"]) if self.compiler is not None else None
        if upstream is None:
            raise CallFailed(f"there is no upstream {args['upstream']}")
        nodes = [node for node in upstream.nodes if args.get("node") in (None, node.url)]
        if not nodes:
            raise CallFailed(f"the upstream {args['upstream']} has no node {args['node']}")
        for node in nodes:
            if node.breaker is not None and args["state"] == "open":
                node.breaker.force_open(args["wait_s"])
            elif node.breaker is not None:
                node.breaker.force_close()

    async def _drain(self, args: Mapping[str, Any]) -> dict[str, int]:
        """Stop accepting and finish what is in flight, at most until the bound."""
        cut = 0
        if self.proxy is not None:
            await self.proxy.drain(args["timeout_s"])
            cut = self.proxy.in_flight
        return {"cut": cut}

    # --- inside

    async def _serve(self, settings: Global, tables: Tables) -> None:
        try:
            key = load_private_key(
                settings.edge_identity.private_key, is_production=settings.environment == "production"
            )
        except UnusableKey as error:
            raise CallFailed(str(error)) from error
        if settings.access_log.enabled:
            self._access_log = AccessLog(sys.stdout.fileno(), max_bytes=settings.access_log.buffer)
        self.recorder = Recorder(
            self._access_log,
            self.decisions,
            worker=self.index,
            is_text=_is_text_log(),
        )
        self.proxy = Proxy(
            tables,
            settings=_proxy_settings(settings),
            identity_headers=IdentityHeaders(EdgeIdentitySigner(key)),
            recorder=self.recorder,
        )
        for listener in self._listeners:
            await self.proxy.serve(listener)

    def _make_upstream(self, spec: UpstreamSpec, previous: Upstream | None) -> Upstream:
        return Upstream(spec, previous=previous, on_breaker_change=self._note_transition)

    def _note_transition(self, upstream: str, node: str, old: BreakerState, new: BreakerState) -> None:
        log.warning(
            "breaker changed", extra={"upstream": upstream, "node": node, "from": old.value, "to": new.value}
        )
        if self.recorder is not None:
            self.recorder.count_transition(upstream, node, new.value)


def _proxy_settings(settings: Global) -> ProxySettings:
    limits = settings.limits
    return ProxySettings(
        limits=ServerLimits(
            max_header_bytes=limits.max_headers,
            max_header_count=limits.max_header_count,
            max_url_bytes=limits.max_url,
            max_body_bytes=limits.max_body,
            header_timeout_s=limits.header_timeout,
            body_timeout_s=limits.body_timeout,
            idle_timeout_s=limits.idle_timeout,
        ),
        trusted_proxies=settings.trusted_proxies,
        proxy_protocol=settings.proxy_protocol,
        max_in_flight=limits.max_in_flight,
    )


def _is_text_log() -> bool:
    wanted = os.environ.get("TRIVIUM_LOG")
    return wanted == "text" or (wanted != "json" and sys.stdout.isatty())
