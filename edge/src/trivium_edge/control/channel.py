"""Calls and answers over a stream, several at once, one JSON object a line.

A call is {"id", "op", "args"}, its answer {"id", "result"} or {"id", "error"}. When the other side is gone
every waiting call fails with ChannelClosed: the supervisor learns of a dead worker, a worker of a dead supervisor.
"""

import asyncio
import itertools
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

log = logging.getLogger(__name__)

# A configuration of 16 MiB, twice over for its JSON.
MAX_LINE_BYTES = 64 * 1024 * 1024
MAX_CALLS = 256

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]


class ChannelClosed(Exception):
    """The other side is gone."""


class CallFailed(Exception):
    """The other side refused a call; the message is its reason."""


class ControlChannel:
    """One end of the channel. `run` serves it until the other side is gone."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Handler] | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handlers = handlers or {}
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._is_closed = False

    @classmethod
    async def open(
        cls, sock: socket.socket, handlers: Mapping[str, Handler] | None = None
    ) -> "ControlChannel":
        """A channel over one end of a socket pair."""
        reader, writer = await asyncio.open_unix_connection(sock=sock, limit=MAX_LINE_BYTES)
        return cls(reader, writer, handlers)

    async def run(self) -> None:
        """Answer calls and hand answers to those who wait; returns when the other side is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while line := await self._read_line():
                    message = orjson.loads(line)
                    if "op" in message:
                        tasks.create_task(self._answer(message))
                    else:
                        self._settle(message)
        finally:
            self.close()

    async def call(self, op: str, args: Mapping[str, Any] | None = None, *, timeout_s: float = 5.0) -> Any:
        """Call `op` on the other side and wait for its answer.

        Raises: ChannelClosed, CallFailed, TimeoutError.
        """
        if self._is_closed or len(self._waiting) >= MAX_CALLS:
            raise ChannelClosed("the other side is gone" if self._is_closed else "too many calls are waiting")
        number = next(self._ids)
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiter
        try:
            self._send({"id": number, "op": op, "args": args or {}})
            async with asyncio.timeout(timeout_s):
                return await waiter
        finally:
            del self._waiting[number]

    def close(self) -> None:
        """Close this end; calls that wait fail."""
        self._is_closed = True
        for waiter in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(ChannelClosed("the other side is gone"))
        self._writer.close()

    async def _read_line(self) -> bytes:
        try:
            return await self._reader.readline()
        except (ConnectionError, ValueError):
            return b""

    def _send(self, message: Mapping[str, Any]) -> None:
        if not self._is_closed:
            self._writer.write(orjson.dumps(message) + b"\n")

    def _settle(self, message: Mapping[str, Any]) -> None:
        waiter = self._waiting.get(message["id"])
        if waiter is None or waiter.done():
            return
        if "error" in message:
            waiter.set_exception(CallFailed(message["error"]))
        else:
            waiter.set_result(message["result"])

    async def _answer(self, message: Mapping[str, Any]) -> None:
        handler = self._handlers.get(message["op"])
        try:
            if handler is None:
                raise CallFailed(f"no such call: {message['op']}")
            result = await handler(message["args"])
        except CallFailed as failed:
            self._send({"id": message["id"], "error": str(failed)})
        except Exception as error:
            log.exception("a control call failed", extra={"op": message["op"]})
            self._send({"id": message["id"], "error": f"{type(error).__name__}: {error}"})
        else:
            self._send({"id": message["id"], "result": result})
