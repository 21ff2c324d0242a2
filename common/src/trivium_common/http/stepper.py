"""A coroutine stepped by callbacks: what a request's handler runs in, without a Task.

The owner calls `wake` when something happened; the coroutine looks at the state and parks again if it was not
what it waits for. A plain future may be awaited too. What needs a current Task (`asyncio.timeout`, a
TaskGroup, a third party's client) goes through `in_task`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

_T = TypeVar("_T")


class _Park:
    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        yield


PARK = _Park()


class Stepper:
    """Drives one coroutine at a time. Subclasses say what happens at its end with `on_return` and `on_raise`."""

    __slots__ = ("_coroutine", "_future", "_interruption", "_is_running", "_is_woken")

    def __init__(self) -> None:
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._future: asyncio.Future[Any] | None = None
        self._interruption: BaseException | None = None
        self._is_running = False
        self._is_woken = False

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start `coroutine` and step it as far as it goes now."""
        self._coroutine = coroutine
        self._step(None)

    def wake(self) -> None:
        """Let the coroutine look at the state again. Cheap, harmless when nothing changed."""
        if self._is_running:
            self._is_woken = True
        elif self._future is None and self._coroutine is not None:
            self._step(None)

    def interrupt(self, error: BaseException) -> None:
        """Raise `error` inside the coroutine where it waits."""
        if self._coroutine is None:
            return
        if self._is_running:
            self._interruption = error
            return
        if self._future is not None:
            self._future.remove_done_callback(self._on_future_done)
            self._future = None
        self._step(error)

    async def in_task(self, awaitable: Awaitable[_T], *, give_back: Callable[[_T], None] | None = None) -> _T:
        """Wait for something that needs a Task of its own; it is cancelled when this coroutine is interrupted.

        `give_back` gets the result when the interruption came in the very moment after it.
        """
        task = asyncio.get_running_loop().create_task(_as_coroutine(awaitable))
        try:
            return await task
        except BaseException:
            if not task.done():
                task.cancel()
                task.add_done_callback(_retrieve)
            elif give_back is not None and not task.cancelled() and task.exception() is None:
                give_back(task.result())
            raise

    def on_return(self) -> None:
        """The coroutine returned."""

    def on_raise(self, error: BaseException) -> None:
        """The coroutine let `error` out."""

    def _step(self, error: BaseException | None) -> None:
        coroutine = self._coroutine
        if coroutine is None:
            return
        ended: BaseException | None = None
        self._is_running = True
        try:
            while True:
                self._is_woken = False
                awaited = coroutine.send(None) if error is None else coroutine.throw(error)
                error, self._interruption = self._interruption, None
                if awaited is not None:
                    awaited._asyncio_future_blocking = False  # noqa: SLF001 - the protocol of futures and their drivers
                    if error is None:
                        self._future = awaited
                        awaited.add_done_callback(self._on_future_done)
                        return
                elif error is None and not self._is_woken:
                    return
        except StopIteration:
            self._coroutine = None
        except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 - the owner is told, whatever it is
            self._coroutine = None
            ended = raised
        finally:
            self._is_running = False
        if ended is None:
            self.on_return()
        else:
            self.on_raise(ended)

    def _on_future_done(self, _: "asyncio.Future[Any]") -> None:
        self._future = None
        if self._coroutine is not None:
            self._step(None)


async def _as_coroutine(awaitable: Awaitable[_T]) -> _T:
    return await awaitable


def _retrieve(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()
