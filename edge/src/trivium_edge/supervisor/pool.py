"""All workers: kept at their number, given one configuration, asked together, drained together."""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trivium_edge.control.channel import CallFailed, ChannelClosed
from trivium_edge.control.snapshot import Snapshot
from trivium_edge.supervisor.worker_process import WorkerProcess
from trivium_edge.telemetry.catalogue import OF_WORKERS
from trivium_edge.telemetry.samples import Samples

log = logging.getLogger(__name__)

POLL_S = 1.0
# A worker that lived this long is started again at once; one that did not, after a growing pause.
LIVED_S = 10.0
FIRST_PAUSE_S = 0.1
LAST_PAUSE_S = 5.0
_COUNTED = tuple(metric for metric in OF_WORKERS if metric.kind != "gauge")


class WorkerPool:
    """Keeps `count` workers running on `listeners`."""

    def __init__(self, count: int, listeners: Sequence[socket.socket], log_format: str | None) -> None:
        self.restarts = 0
        self.snapshot: Snapshot | None = None
        self._packed: Mapping[str, Any] = {}
        self._count = count
        self._listeners = listeners
        self._log_format = log_format
        self._workers: dict[int, WorkerProcess] = {}
        self._of_the_dead = Samples()
        self._is_draining = False
        self._changed = asyncio.Condition()

    @property
    def count(self) -> int:
        """How many workers there should be."""
        return self._count

    @property
    def serving(self) -> list[WorkerProcess]:
        """The workers that serve with the configuration in force."""
        return [worker for worker in self._workers.values() if worker.is_serving]

    async def run(self) -> None:
        """Keep every worker running until `drain`."""
        async with asyncio.TaskGroup() as tasks:
            for index in range(self._count):
                tasks.create_task(self._keep_running(index))
            poll = tasks.create_task(self._poll_samples())
            await self._wait_until(lambda: self._is_draining and not self._workers)
            poll.cancel()

    async def wait_serving(self, count: int) -> None:
        """Wait until at least `count` workers serve."""
        await self._wait_until(lambda: len(self.serving) >= count)

    async def put_in_force(self, snapshot: Snapshot) -> list[str]:
        """Give a snapshot to all workers; what kept those from taking it that could not.

        When the first worker cannot run it nobody gets it.
        """
        packed = snapshot.pack()
        problems: list[str] = []
        try:
            await self._configure_serving(snapshot, packed, problems)
            self.snapshot, self._packed = snapshot, packed
            # Once more, for those that began to serve with the one before in the meantime.
            await self._configure_serving(snapshot, packed, problems)
        except CallFailed as failed:
            return [str(failed)]
        async with self._changed:
            self._changed.notify_all()
        return problems

    async def ask_all(self, op: str, args: Mapping[str, Any] | None = None) -> list[Any]:
        """The answers of all workers that gave one in time."""
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(worker.ask(op, args)) for worker in self._workers.values()]
        return [answer for task in asked if (answer := task.result()) is not None]

    async def collect_samples(self) -> Samples:
        """The counts of all workers, those that died included, as of now."""
        async with asyncio.TaskGroup() as tasks:
            for worker in self._workers.values():
                tasks.create_task(worker.refresh_samples())
        total = Samples()
        total.add(self._of_the_dead)
        for worker in self._workers.values():
            total.add(worker.last_samples)
        return total

    async def drain(self, timeout_s: float) -> int:
        """Let all workers finish what is in flight and end; how many requests were cut at the bound."""
        self._is_draining = True
        cut = 0
        async with asyncio.TaskGroup() as tasks:
            asked = [
                tasks.create_task(worker.ask("drain", {"timeout_s": timeout_s}, timeout_s=timeout_s + 1))
                for worker in self._workers.values()
            ]
        for task in asked:
            cut += (task.result() or {"cut": 0})["cut"]
        for worker in self._workers.values():
            worker.hang_up()
        async with self._changed:
            self._changed.notify_all()
        try:
            async with asyncio.timeout(1.5):
                await self._wait_until(lambda: not self._workers)
        except TimeoutError:
            for worker in self._workers.values():
                worker.kill()
        return cut

    async def _configure_serving(
        self, snapshot: Snapshot, packed: Mapping[str, Any], problems: list[str]
    ) -> None:
        for worker in self.serving:
            if worker.generation == snapshot.generation:
                continue
            try:
                await worker.configure(snapshot, packed)
            except (ChannelClosed, TimeoutError):
                problems.append(f"worker {worker.index} gave no answer and is started again")
                worker.kill()

    async def _keep_running(self, index: int) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            worker = await WorkerProcess.start(index, self._listeners, self._log_format)
            self._workers[index] = worker
            async with asyncio.TaskGroup() as tasks:
                configuring = tasks.create_task(self._configure(worker))
                code = await worker.run()
                configuring.cancel()
            await self._forget(worker)
            if self._is_draining:
                return
            self.restarts += 1
            lived_s = asyncio.get_running_loop().time() - worker.started_at
            pause_s = FIRST_PAUSE_S if lived_s > LIVED_S else min(pause_s * 2, LAST_PAUSE_S)
            log.error(
                "a worker died and is started again",
                extra={"worker": index, "pid": worker.pid, "exit_code": code, "pause_s": pause_s},
            )
            await asyncio.sleep(pause_s)

    async def _configure(self, worker: WorkerProcess) -> None:
        await self._wait_until(lambda: self.snapshot is not None)
        while self.snapshot is not None and worker.generation != self.snapshot.generation:
            try:
                await worker.configure(self.snapshot, self._packed)
            except (CallFailed, ChannelClosed, TimeoutError) as error:
                log.error("a worker cannot start", extra={"worker": worker.index, "detail": str(error)})
                worker.kill()
                return
        async with self._changed:
            self._changed.notify_all()

    async def _forget(self, worker: WorkerProcess) -> None:
        del self._workers[worker.index]
        self._of_the_dead.add(worker.last_samples, _COUNTED)
        async with self._changed:
            self._changed.notify_all()

    async def _poll_samples(self) -> None:
        """A worker that is killed takes with it what it counted since it was last asked: at most POLL_S worth."""
        while True:
            await asyncio.sleep(POLL_S)
            for worker in list(self._workers.values()):
                await worker.refresh_samples()

    async def _wait_until(self, is_so: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(is_so)
