"""`trivium up` from the first check to the last process gone."""

import asyncio
import os
import shlex
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from trivium_cli.errors import Refused
from trivium_cli.stack import preflight
from trivium_cli.stack import processes as table
from trivium_cli.stack.child import Child
from trivium_cli.stack.console import Console
from trivium_cli.stack.guardian import Guardian
from trivium_cli.stack.guide import Guide
from trivium_cli.stack.layout import (
    Layout,
    build_command,
    build_environment,
    find_root,
    read_redis_urls,
    store_log,
    write_environment_file,
)
from trivium_cli.stack.processes import Process
from trivium_cli.stack.reload import reload_on_change
from trivium_cli.stack.supervisor import Supervisor

EXIT_GIVEN_UP = 1
# Tokens are good for an hour.
RENEW_CREDENTIALS_S = 1800.0


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of the command as given; None stands for the default."""

    port_base: int = 0
    left_out: tuple[str, ...] = ()
    reloaded: tuple[str, ...] = ()
    data_dir: Path | None = None
    ready_file: Path | None = None
    wants_colour: bool = True


def run_stack(options: UpOptions) -> int:
    """Check, start, keep and stop a stack; returns the exit code: 0, or 1 when a process was given up.

    Raises: Refused, when it cannot be started like this.
    """
    preflight.check_port_base(options.port_base)
    root = find_root()
    redis_urls = read_redis_urls(os.environ)
    layout = Layout(root, _choose_data_dir(options, root), options.port_base, redis_urls)
    chosen = table.select_processes(options.left_out)
    if not layout.needs_store:
        chosen = tuple(process for process in chosen if process is not table.VALKEY)
    if not chosen:
        raise Refused("--except: nothing is left to start")
    for name in options.reloaded:
        _check_reload(name, chosen)
    preflight.check_redis_urls(redis_urls)
    preflight.check_ports(chosen, layout)
    with preflight.lock_data_dir(layout.data_dir):
        if options.ready_file is not None:
            # One that was left by a killed run would tell a waiting program the wrong thing.
            preflight.remove_ready_file(options.ready_file)
        return asyncio.run(_run(options, layout, chosen))


async def _run(options: UpOptions, layout: Layout, chosen: Sequence[Process]) -> int:
    return await _Stack(options, layout, chosen).run()


def _choose_data_dir(options: UpOptions, root: Path) -> Path:
    if options.data_dir is not None:
        return options.data_dir.resolve()
    state = root / ".trivium"
    return state / f"port-base-{options.port_base}" if options.port_base else state


def _check_reload(name: str, chosen: Sequence[Process]) -> None:
    if name not in table.RELOADABLE:
        raise Refused(f"--reload {name}: choose from {', '.join(table.RELOADABLE)}")
    if table.BY_NAME[name] not in chosen:
        raise Refused(f"--reload {name}: it is left out by --except {name}")


class _Stack:
    """The parts of one run, put together. Needs a running event loop."""

    def __init__(self, options: UpOptions, layout: Layout, chosen: Sequence[Process]) -> None:
        self._options = options
        self._layout = layout
        self._guide = Guide(layout, chosen)
        self._is_guide_shown = False
        # Two processes can become ready at once: one publishes after the other.
        self._publishing = asyncio.Lock()
        self._console = Console(
            [process.name for process in chosen], wants_colour=options.wants_colour, on_gone=self._stop
        )
        self._guardian = Guardian()
        self._threads = ThreadPoolExecutor(max_workers=len(chosen), thread_name_prefix="wait")
        self._children = self._build_children(chosen)
        self._supervisor = Supervisor(
            self._children, self._console, port_of=layout.port, on_healthy=self._show_healthy
        )

    def _build_children(self, chosen: Sequence[Process]) -> list[Child]:
        environment = build_environment(self._layout, os.environ)
        return [
            Child(
                process,
                build_command(process, self._layout),
                environment | {"TRIVIUM_PORT": str(self._layout.port(process.port))},
                guardian=self._guardian,
                threads=self._threads,
                show_lines=self._console.show_lines,
                hint=f"; see {store_log(self._layout)}" if process is table.VALKEY else "",
            )
            for process in chosen
        ]

    async def run(self) -> int:
        """From the first process to the last; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop)
        self._console.say(f"starting {len(self._children)} processes; Ctrl-C stops them")
        for name in self._options.left_out:
            self._show_left_out(table.BY_NAME[name])
        reloads = (
            reload_on_change(self._supervisor, name, table.find_source(table.BY_NAME[name]))
            for name in self._options.reloaded
        )
        try:
            await self._supervisor.run(self._keep_credentials_new(), *reloads)
        finally:
            self._guardian.close()
            self._threads.shutdown()
            if self._options.ready_file is not None:
                self._options.ready_file.unlink(missing_ok=True)
        self._console.say("stopped, no process is left")
        return EXIT_GIVEN_UP if self._supervisor.has_given_up else 0

    def _stop(self) -> None:
        self._supervisor.request_stop()

    def _show_left_out(self, process: Process) -> None:
        """How to run what was left out, so that it fits into this stack."""
        command = shlex.join(build_command(process, self._layout))
        if self._layout.port_base and process is not table.VALKEY:
            path = write_environment_file(self._layout)
            port = self._layout.port(process.port)
            command = f"(set -a; . {shlex.quote(str(path))}; TRIVIUM_PORT={port} exec {command})"
        self._console.say(f"{process.name} is left out; to run it yourself: {command}")

    async def _show_healthy(self) -> None:
        """Print the guide once; write the ready file each time, since process ids change."""
        async with self._publishing:
            if not self._is_guide_shown:
                self._is_guide_shown = True
                await self._renew_credentials()
                self._guide.show(self._console)
            if self._options.ready_file is None:
                return
            pids = {child.name: child.pid for child in self._children}
            try:
                self._guide.write_ready_file(self._options.ready_file, pids)
            except OSError as error:
                self._console.say(f"the ready file is not written: {error}")

    async def _renew_credentials(self) -> None:
        """New tokens, or a line that says why there are none: the stack runs on without."""
        try:
            await asyncio.to_thread(self._guide.renew)
        except (Refused, OSError) as error:
            self._console.say(f"no new credentials: {error}")

    async def _keep_credentials_new(self) -> None:
        while True:
            await asyncio.sleep(RENEW_CREDENTIALS_S)
            async with self._publishing:
                await self._renew_credentials()
