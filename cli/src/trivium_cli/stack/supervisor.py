"""Keeps the children of a stack alive, says when all are ready, and ends all of them.

start → wait until ready → (died → again | died too often → given up, the others go on) → stop
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from trivium_cli.stack import processes as table
from trivium_cli.stack.child import Child, State, describe_end
from trivium_cli.stack.console import Console
from trivium_cli.stack.processes import Process, Tier
from trivium_cli.stack.readiness import Probe, probe_http, probe_redis, wait_ready

# Children have 4 of the 5 seconds in which a stack must be gone; the edge goes first, while what it calls still lives.
EDGE_STOP_LIMIT_S = 2.0
STOP_LIMIT_S = 4.0
REMINDER_S = 15.0
EXIT_CONFIGURATION = 2


class Supervisor:
    """Runs children until `request_stop` is called or none is left.

    `on_healthy` is awaited each time that all children are ready: after the start, and after each restart.
    """

    def __init__(
        self,
        children: Sequence[Child],
        console: Console,
        *,
        port_of: Callable[[int], int],
        on_healthy: Callable[[], Awaitable[None]],
        stop_limit_s: float = STOP_LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._children = {child.name: child for child in children}
        self._console = console
        self._port_of = port_of
        self._on_healthy = on_healthy
        self._stop_limit_s = stop_limit_s
        self._clock = clock
        self._stop_requested = asyncio.Event()
        self._revived = {child.name: asyncio.Event() for child in children}
        self._began_s = clock()

    @property
    def has_given_up(self) -> bool:
        """Whether a child has been given up and not come back."""
        return any(child.state is State.GIVEN_UP for child in self._children.values())

    def request_stop(self) -> None:
        """Begin to stop. Safe to call from a signal handler, and more than once."""
        self._stop_requested.set()

    def reload(self, name: str) -> None:
        """Start a child anew because its code has changed, even if it was given up."""
        child = self._children[name]
        child.ledger.clear()
        if child.state is State.GIVEN_UP:
            self._revived[name].set()
        elif child.is_alive:
            child.is_reloading = True
            child.ask_to_stop()
            asyncio.get_running_loop().call_later(self._stop_limit_s, child.kill, child.pid)

    async def run(self, *helpers: Coroutine[Any, Any, None]) -> None:
        """Start everything at once and stay until the end; `helpers` run beside the children.

        Leaves no process behind, on cancellation either.
        """
        async with asyncio.TaskGroup() as tasks:
            keepers = {
                tasks.create_task(self._keep(child), name=child.name): child
                for child in self._children.values()
            }
            others = [tasks.create_task(self._announce()), *(tasks.create_task(helper) for helper in helpers)]
            await self._stop_requested.wait()
            self._console.end_progress()
            for task in others:
                task.cancel()
            await self._stop(keepers)

    async def _keep(self, child: Child) -> None:
        """Live after life, until the stop."""
        is_first = True
        while not self._stop_requested.is_set():
            child.start()
            self._show_progress()
            code = await self._live(child, is_first=is_first)
            is_first = False
            if self._stop_requested.is_set():
                break
            if child.is_reloading:
                child.is_reloading = False
                self._console.say(f"{child.name} has changed: starting it again")
            elif self._is_hopeless(child, code):
                await self._give_up(child)
            else:
                self._console.say(f"{child.name} died ({describe_end(code)}{child.hint}): starting it again")
        child.state = State.STOPPED

    async def _live(self, child: Child, *, is_first: bool) -> int:
        """One life of a child; returns its exit code."""
        async with asyncio.TaskGroup() as tasks:
            ready = tasks.create_task(self._wait_child_ready(child, is_first=is_first))
            code = await child.wait_end()
            ready.cancel()
        return code

    async def _wait_child_ready(self, child: Child, *, is_first: bool) -> None:
        def tell(reason: str) -> None:
            child.reason = reason

        began_s = self._began_s if is_first else self._clock()
        await wait_ready(self._build_probe(child.process), child.activity, tell)
        child.state = State.READY
        child.settled.set()
        self._show_progress()
        self._console.say(
            f"{child.name} is ready{'' if is_first else ' again'} ({self._clock() - began_s:.1f} s)"
        )
        if not is_first and all(other.state is State.READY for other in self._children.values()):
            await self._on_healthy()

    def _build_probe(self, process: Process) -> Probe:
        port = self._port_of(process.ready_port)
        return (lambda: probe_redis(port)) if process is table.VALKEY else (lambda: probe_http(port))

    def _is_hopeless(self, child: Child, code: int) -> bool:
        is_third = child.ledger.is_hopeless_after(self._clock())
        if code == EXIT_CONFIGURATION:
            # Starting again mends no setting: the child has said in one line what is wrong.
            self._console.say(
                f"{child.name} refuses to start (its last line says why): given up, the rest goes on"
            )
            return True
        if is_third:
            self._console.say(
                f"{child.name} died {child.ledger.limit} times in {child.ledger.window_s:.0f} s "
                f"({describe_end(code)}{child.hint}): given up, the rest goes on"
            )
        return is_third

    async def _give_up(self, child: Child) -> None:
        """Leave the child alone until its code changes."""
        child.state = State.GIVEN_UP
        child.settled.set()
        self._show_progress()
        if all(other.state is State.GIVEN_UP for other in self._children.values()):
            self._console.say("nothing is left to run")
            self.request_stop()
        await self._revived[child.name].wait()
        self._revived[child.name].clear()

    async def _announce(self) -> None:
        """Say when the start is over; meanwhile say now and then what it waits for."""
        while waiting := [child for child in self._children.values() if not child.settled.is_set()]:
            try:
                async with asyncio.timeout(REMINDER_S):
                    for child in waiting:
                        await child.settled.wait()
            except TimeoutError:
                reasons = [f"{one.name} ({one.reason})" for one in waiting if not one.settled.is_set()]
                self._console.say(f"still waiting for {', '.join(reasons)}")
        self._console.end_progress()
        missing = [child.name for child in self._children.values() if child.state is not State.READY]
        if missing:
            self._console.say(f"not healthy: without {', '.join(missing)}")
        else:
            self._console.say(f"healthy in {self._clock() - self._began_s:.1f} s")
            await self._on_healthy()

    async def _stop(self, keepers: dict[asyncio.Task[None], Child]) -> None:
        """SIGTERM to the edge, then to the others; SIGKILL to the groups of those that do not listen."""
        give_up_at_s = self._clock() + self._stop_limit_s
        for task, child in keepers.items():
            if child.state is State.GIVEN_UP:
                task.cancel()
        edges = {task for task, child in keepers.items() if child.process.tier is Tier.EDGE}
        await self._ask_to_stop(edges, keepers, EDGE_STOP_LIMIT_S)
        await self._ask_to_stop(set(keepers), keepers, give_up_at_s - self._clock())
        late = [child for task, child in keepers.items() if not task.done()]
        for child in late:
            self._console.say(f"{child.name} does not stop: killed")
            child.kill(child.pid)

    async def _ask_to_stop(
        self, tasks: set[asyncio.Task[None]], keepers: dict[asyncio.Task[None], Child], limit_s: float
    ) -> None:
        running = {task for task in tasks if not task.done()}
        for task in running:
            keepers[task].ask_to_stop()
        if running:
            await asyncio.wait(running, timeout=limit_s)

    def _show_progress(self) -> None:
        waiting = [child.name for child in self._children.values() if not child.settled.is_set()]
        ready = sum(child.state is State.READY for child in self._children.values())
        self._console.show_progress(ready, len(self._children), waiting)
