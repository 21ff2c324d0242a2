"""Children are kept alive, given up when hopeless, and gone in the end."""

import os
import signal
from pathlib import Path

from small_stack import SmallStack, is_running, wait_until

from trivium_cli.stack.child import State


async def test_stack_is_healthy_when_every_child_answers(small_stack: SmallStack) -> None:
    """Each child's readiness is said in one line, health once, and the stop leaves no process."""
    children = [small_stack.add("one"), small_stack.add("two")]
    small_stack.start()
    await small_stack.wait_said("healthy in")
    await wait_until(lambda: small_stack.healthy == 1, "the stack is announced")
    pids = [child.pid for child in children]
    await small_stack.stop()
    assert small_stack.output.count("is ready (") == 2
    assert not any(is_running(pid) for pid in pids)
    assert not small_stack.supervisor.has_given_up


async def test_killed_child_is_started_again_with_one_line(small_stack: SmallStack) -> None:
    """A death is announced, the child serves again, and the stack is published anew with its new process id."""
    child = small_stack.add("one")
    small_stack.start()
    await small_stack.wait_said("healthy in")
    first = child.pid
    os.kill(first, signal.SIGKILL)
    await small_stack.wait_said("one is ready again")
    await wait_until(lambda: small_stack.healthy == 2, "the stack is published again")
    assert child.pid != first
    assert small_stack.output.count("one died (killed by SIGKILL): starting it again\n") == 1


async def test_child_that_dies_three_times_is_given_up_and_the_rest_goes_on(small_stack: SmallStack) -> None:
    """Three deaths in ten seconds end the attempts; the other child keeps serving."""
    small_stack.add("one", "code", "raise SystemExit(3)")
    small_stack.add("two")
    small_stack.start()
    await small_stack.wait_said("one died 3 times in 10 s (exit code 3): given up, the rest goes on")
    await small_stack.wait_said("not healthy: without one")
    assert small_stack.output.count("starting it again") == 2
    assert small_stack.children["two"].state is State.READY
    await small_stack.stop()
    assert small_stack.supervisor.has_given_up


async def test_child_that_refuses_its_configuration_is_not_started_again(small_stack: SmallStack) -> None:
    """Exit code 2 says that the settings are wrong: starting again cannot help."""
    small_stack.add("one", "code", "print('TRIVIUM_PORT: is no number'); raise SystemExit(2)")
    small_stack.add("two")
    small_stack.start()
    await small_stack.wait_said("one refuses to start")
    await small_stack.stop()
    assert "starting it again" not in small_stack.output
    assert "TRIVIUM_PORT: is no number\n" in small_stack.output


async def test_stack_ends_when_every_child_is_given_up(small_stack: SmallStack) -> None:
    """There is nothing to wait for when nothing is left to run."""
    small_stack.add("one", "code", "raise SystemExit(2)")
    await small_stack.start()
    assert "nothing is left to run" in small_stack.output
    assert small_stack.supervisor.has_given_up


async def test_deaf_child_is_killed_with_its_own_children(small_stack: SmallStack, tmp_path: Path) -> None:
    """What ignores SIGTERM is killed after the limit, and so is the process that it started."""
    pid_file = tmp_path / "pid"
    child = small_stack.add("one", "deaf", "parent", str(pid_file))
    small_stack.start(stop_limit_s=0.2)
    await small_stack.wait_said("healthy in")
    grandchild = int(pid_file.read_text())
    assert is_running(grandchild)
    await small_stack.stop()
    await wait_until(lambda: not is_running(grandchild), "the grandchild is gone")
    assert not is_running(child.pid)
    assert "one does not stop: killed" in small_stack.output


async def test_grandchildren_of_a_dead_child_are_gone_before_it_starts_again(
    small_stack: SmallStack, tmp_path: Path
) -> None:
    """A worker that outlives its supervisor would keep the port from the next life."""
    pid_file = tmp_path / "pid"
    child = small_stack.add("one", "parent", str(pid_file))
    small_stack.start()
    await small_stack.wait_said("healthy in")
    orphan = int(pid_file.read_text())
    os.kill(child.pid, signal.SIGKILL)
    await small_stack.wait_said("one is ready again")
    assert not is_running(orphan)


async def test_changed_child_is_started_again_even_when_it_was_given_up(
    small_stack: SmallStack, tmp_path: Path
) -> None:
    """A syntax error that was saved and mended needs no restart of the stack."""
    marker = tmp_path / "mended"
    code = f"import os, time; os.path.exists({str(marker)!r}) or exit(1); print('mended', flush=True); time.sleep(60)"
    small_stack.add("one", "code", code)
    small_stack.add("two")
    small_stack.start()
    await small_stack.wait_said("one died 3 times")
    marker.touch()
    small_stack.supervisor.reload("one")
    await small_stack.wait_said("one     | mended")
    small_stack.supervisor.reload("one")
    await small_stack.wait_said("one has changed: starting it again")


async def test_control_characters_of_a_child_never_reach_the_terminal(small_stack: SmallStack) -> None:
    """A child may log what a client sent."""
    small_stack.add("one", "code", r"print('a\x1b[2Jb\rc', flush=True); raise SystemExit(2)")
    await small_stack.start()
    assert r"one     | a\x1b[2Jb\x0dc" in small_stack.output
