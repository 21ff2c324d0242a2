"""Processes are killed without warning; the rest serves on and they come back."""

import os
import signal
from pathlib import Path

import httpx
from running_stack import RunningStack, wait_until


def find_children(pid: int) -> list[int]:
    """The processes that `pid` started and that run now."""
    children = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == pid and state not in "ZX":
            children.append(int(folder.name))
    return children


def find_workers(stack: RunningStack) -> list[int]:
    """The edge's workers, without whatever else its supervisor may have started."""
    return [pid for pid in find_children(stack.pid("edge")) if b"trivium_edge.worker" in read_command(pid)]


def read_command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def ask_home_anew(stack: RunningStack) -> int:
    """One request on a connection of its own; returns the status."""
    with stack.connect("edge") as client:
        return client.get("/api/mobile/home", headers=stack.authorize("mobile")).status_code


def test_killed_edge_worker_is_replaced_while_the_others_serve(stack: RunningStack) -> None:
    """No new connection is refused or lost, and soon there are as many workers as before."""
    wait_until(lambda: len(find_workers(stack)) == 2, "both workers run")
    before = find_workers(stack)
    os.kill(before[0], signal.SIGKILL)
    assert [ask_home_anew(stack) for _ in range(20)] == [200] * 20
    wait_until(lambda: len(set(find_workers(stack)) - {before[0]}) == 2, "a new worker runs")
    assert before[1] in find_workers(stack)
    assert stack.process.poll() is None
    assert [ask_home_anew(stack) for _ in range(10)] == [200] * 10


def test_killed_bff_is_started_again_and_the_others_do_not_notice(
    stack: RunningStack, edge: httpx.Client
) -> None:
    """Its own clients get problem documents meanwhile, and answers again soon."""
    first = stack.pid("iot")
    stack.mark_log()
    os.kill(first, signal.SIGKILL)
    statuses = set()

    def is_back() -> bool:
        device = edge.get("/api/iot/devices/d1", headers=stack.authorize("iot"))
        statuses.add(device.status_code)
        assert edge.get("/api/mobile/products/p1", headers=stack.authorize("mobile")).status_code == 200
        return device.status_code == 200 and stack.pid("iot") != first

    wait_until(is_back, "the iot BFF answers again")
    assert statuses <= {200, 502, 503}
    assert stack.log_since_mark().count("iot died (killed by SIGKILL): starting it again") == 1
    stack.wait_logged("iot is ready again")


def test_killed_edge_is_started_again_without_leftovers(stack: RunningStack) -> None:
    """Workers of the dead supervisor are gone, or they would keep the port."""
    first, orphans = stack.pid("edge"), find_workers(stack)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: stack.pid("edge") != first, "the edge is ready again")
    assert not set(orphans) & set(stack.find_processes())
    assert ask_home_anew(stack) == 200
