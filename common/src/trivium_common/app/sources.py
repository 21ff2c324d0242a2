"""`Sources`: the parallel calls behind one answer (required, optional or fallback) and what came of them."""

import asyncio
import logging
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Generic, TypeVar

from trivium_common.app.last_good import LastGood
from trivium_common.errors import NotFound, TriviumError

T = TypeVar("T")

log = logging.getLogger(__name__)


class Source(Generic[T]):
    """One call's result; `value` is there after the `async with` block."""

    __slots__ = ("_value",)

    _value: T

    @property
    def value(self) -> T:
        """What the call returned; for an optional source that failed, None."""
        return self._value

    def _settle(self, value: T) -> None:
        self._value = value


class Sources:
    """Calls that run at the same time, under the request's deadline.

    async with Sources() as sources:
        user = sources.required("user", services.find_user(user_id))
        orders = sources.optional("orders", services.list_orders(user_id))
        picks = sources.fallback("picks", services.list_picks(user_id), kept=kept_picks, key=user_id, static=[])
    answer(user.value, orders.value, picks.value, missing=sources.missing, substituted=sources.substituted)

    A required call that fails ends the block with its error and cancels the others. An optional one that
    fails is None and named in `missing`; when the upstream says "not found", it is None and not missing,
    since that is a true answer. A fallback call that fails gives the last good value of its key, else the
    static one, and is named in `substituted` ("not found" gives the static one, as a true answer). A fault of our own code is never swallowed.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._failed: set[str] = set()
        self._replaced: set[str] = set()
        self._names: list[str] = []

    @property
    def missing(self) -> list[str]:
        """The optional sources that failed, in the order they were declared."""
        return [name for name in self._names if name in self._failed]

    @property
    def substituted(self) -> list[str]:
        """The fallback sources whose value is an older or a static one, in the order they were declared."""
        return [name for name in self._names if name in self._replaced]

    def required(self, name: str, call: Coroutine[Any, Any, T]) -> Source[T]:
        """Start `call`; without its result there is no answer."""
        source: Source[T] = Source()
        self._names.append(name)
        self._group.create_task(self._run_required(source, call), name=name)
        return source

    def optional(self, name: str, call: Coroutine[Any, Any, T]) -> Source[T | None]:
        """Start `call`; without its result the answer is partial."""
        source: Source[T | None] = Source()
        self._names.append(name)
        self._group.create_task(self._run_optional(name, source, call), name=name)
        return source

    def fallback(
        self, name: str, call: Coroutine[Any, Any, T], *, kept: LastGood[T], key: str, static: T
    ) -> Source[T]:
        """Start `call`; without its result the last one that was good for `key` is shown, else `static`.

        `key` has to name whoever may see the value: the user's id for what is theirs.
        """
        source: Source[T] = Source()
        self._names.append(name)
        self._group.create_task(self._run_fallback(name, source, call, kept, key, static), name=name)
        return source

    async def __aenter__(self) -> "Sources":
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._group.__aexit__(kind, error, trace)
        except BaseExceptionGroup as failures:
            cause = _find_cause(failures)
            raise cause from cause.__cause__

    async def _run_required(self, source: Source[T], call: Coroutine[Any, Any, T]) -> None:
        source._settle(await call)  # noqa: SLF001 - a Source is filled by its Sources

    async def _run_optional(self, name: str, source: Source[T | None], call: Coroutine[Any, Any, T]) -> None:
        value: T | None = None
        try:
            value = await call
        except NotFound:
            pass
        except TriviumError as error:
            self._failed.add(name)
            log.warning(
                "optional source failed", extra={"source": name, "code": error.code, "detail": error.detail}
            )
        source._settle(value)  # noqa: SLF001 - a Source is filled by its Sources

    async def _run_fallback(
        self,
        name: str,
        source: Source[T],
        call: Coroutine[Any, Any, T],
        kept: LastGood[T],
        key: str,
        static: T,
    ) -> None:
        try:
            value = await call
            kept.put(key, value)
        except NotFound:
            value = static
        except TriviumError as error:
            self._replaced.add(name)
            value = kept.find(key, static)
            log.warning(
                "fallback source failed", extra={"source": name, "code": error.code, "detail": error.detail}
            )
        source._settle(value)  # noqa: SLF001 - a Source is filled by its Sources


def _find_cause(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show for several: a bug before anything else, then the first failure."""
    bugs = [error for error in failures.exceptions if not isinstance(error, TriviumError)]
    return (bugs or list(failures.exceptions))[0]
