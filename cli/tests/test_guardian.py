"""No process outlives its `trivium up`, however that ended."""

import asyncio
import subprocess
import sys
from pathlib import Path

from small_stack import TINY_PROCESS, find_free_port, is_running, wait_until

OWNER = """
import subprocess, sys, time
from trivium_cli.stack.guardian import Guardian
guardian = Guardian()
for command in sys.argv[1:]:
    child = subprocess.Popen(command.split(), process_group=0)
    guardian.watch(child.pid)
    print(child.pid, flush=True)
time.sleep(60)
"""


async def test_killed_owner_leaves_no_process(tmp_path: Path) -> None:
    """After kill -9 the guardian ends the children, the deaf one with its own child too."""
    pid_file = tmp_path / "pid"
    tiny = f"{sys.executable} -S {TINY_PROCESS} {find_free_port()}"
    deaf = f"{sys.executable} -S {TINY_PROCESS} {find_free_port()} deaf parent {pid_file}"
    owner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, tiny, deaf, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    pids: list[int] = []
    while len(pids) < 2:
        line = await owner.stdout.readline()
        if line.strip().isdigit():
            pids.append(int(line))
    await wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", "the deaf child has a child")
    pids.append(int(pid_file.read_text()))
    assert all(is_running(pid) for pid in pids)
    owner.kill()
    await wait_until(lambda: not any(is_running(pid) for pid in pids), "all children are gone")
    await owner.communicate()
