"""Runs coroutines side by side without Tasks, for a caller that is itself stepped by callbacks and not by a Task.

That is the plain server's way: its handlers and its transport need no Task, and a Task per subgraph request costs more
than the request's own work. Callers with a Task use `asyncio.TaskGroup` instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Branches:
    """A group of coroutines. The first error cancels the others and is raised by `wait_done`."""

    def __init__(self) -> None:
        self._running: set[_Branch] = set()
        self._error: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine and step it as far as it goes now."""
        branch = _Branch(self, coroutine)
        self._running.add(branch)
        branch.step(None)

    async def wait_done(self) -> None:
        """Wait for all. If this is interrupted, all are cancelled where they wait."""
        try:
            if self._running:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        finally:
            self._waiter = None
            self._cancel_all()
        if self._error is not None:
            raise self._error

    def ended(self, branch: _Branch, error: BaseException | None) -> None:
        """Told by a branch."""
        self._running.discard(branch)
        if error is not None and self._error is None:
            self._error = error
        if self._waiter is not None and not self._waiter.done() and (error is not None or not self._running):
            self._waiter.set_result(None)

    def _cancel_all(self) -> None:
        for branch in list(self._running):
            branch.cancel()


class _Branch:
    __slots__ = ("_coroutine", "_future", "_group")

    def __init__(self, group: Branches, coroutine: Coroutine[Any, Any, None]) -> None:
        self._group = group
        self._coroutine = coroutine
        self._future: asyncio.Future[Any] | None = None

    def step(self, error: BaseException | None) -> None:
        self._future = None
        try:
            awaited = self._coroutine.send(None) if error is None else self._coroutine.throw(error)
        except StopIteration:
            self._group.ended(self, None)
        except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - the group raises it
            self._group.ended(self, raised)
        else:
            # The protocol of futures and whoever drives a coroutine, as asyncio's own Task speaks it.
            awaited._asyncio_future_blocking = False  # noqa: SLF001
            self._future = awaited
            awaited.add_done_callback(self._on_done)

    def cancel(self) -> None:
        """Raise CancelledError inside the coroutine where it waits."""
        if self._future is not None:
            self._future.remove_done_callback(self._on_done)
            self.step(asyncio.CancelledError())

    def _on_done(self, _: asyncio.Future[Any]) -> None:
        self.step(None)
