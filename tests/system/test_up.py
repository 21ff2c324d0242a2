"""`trivium up` as a command: two side by side, stopped, killed, on a terminal, and refused with one line."""

import ast
import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running_stack import RunningStack, StartStack, find_free_base, leave_out_all_but, run_curl, wait_until

ROOT = Path(__file__).parents[2]
BOOTSTRAP = ROOT / "cli" / "bootstrap.py"
SMALL = leave_out_all_but("valkey", "identity", "users")
LIMIT_S = 60


def test_second_stack_runs_beside_the_first_until_ctrl_c(
    stack: RunningStack, start_stack: StartStack
) -> None:
    """Both answer every curl line; the second one's end leaves none of its processes and does not touch the first."""
    second = start_stack()
    second.wait_healthy()
    assert second.port_base != stack.port_base
    for one in (stack, second):
        assert [result for result in one.run_curls() if result.status != result.expected] == []
    second.stop_cleanly(signal.SIGINT)
    assert "stopped, no process is left" in second.log
    assert run_curl(stack.ready["curl"][0]["command"])[0] == stack.ready["curl"][0]["expect_status"]


def test_sigterm_during_the_start_stops_cleanly(start_stack: StartStack) -> None:
    """Nobody has to wait for a start that is no longer wanted."""
    starting = start_stack()
    wait_until(lambda: "valkey is ready" in starting.log, "the first process is ready")
    starting.stop_cleanly(signal.SIGTERM)


def test_killed_trivium_up_leaves_no_process(start_stack: StartStack) -> None:
    """Not even kill -9 leaves ports taken."""
    killed = start_stack(*SMALL)
    killed.wait_healthy()
    # The command, its guardian, and the three of the stack.
    assert len(killed.find_processes()) == 5
    assert set(killed.ready["pids"].values()) < set(killed.find_processes())
    killed.process.kill()
    wait_until(lambda: not killed.find_processes(), "no process is left")


def test_stack_goes_on_without_a_process_that_cannot_start(start_stack: StartStack) -> None:
    """A wrong setting of one process is said once, the others serve, and the exit code tells."""
    crippled = start_stack(*leave_out_all_but("valkey", "users", "edge"), TRIVIUM_EDGE_WORKERS="none")
    wait_until(lambda: "not healthy: without edge" in crippled.log, "the edge is given up")
    assert "edge refuses to start" in crippled.log
    assert "Traceback" not in crippled.log
    crippled.process.send_signal(signal.SIGTERM)
    assert crippled.process.wait(LIMIT_S) == 1


def test_reloaded_bff_is_started_again_when_its_source_changes(start_stack: StartStack) -> None:
    """A team saves a file and its BFF runs with it."""
    watched = start_stack("--reload", "iot", *leave_out_all_but("valkey", "iot"))
    watched.wait_healthy()
    first = watched.pid("iot")
    (ROOT / "bffs" / "iot" / "src" / "trivium_iot" / "__init__.py").touch()
    wait_until(lambda: "iot has changed: starting it again" in watched.log, "the change is seen")
    wait_until(lambda: watched.pid("iot") != first, "the ready file names the new process")
    assert "iot is ready again" in watched.log
    watched.stop_cleanly()


def test_left_out_bff_can_be_run_by_hand_with_the_printed_line(start_stack: StartStack) -> None:
    """`--except` prints how to run the missing process so that it fits in."""
    partly = start_stack(*leave_out_all_but("valkey", "identity", "users", "devices"))
    partly.wait_healthy()
    line = re.search(r"iot is left out; to run it yourself: (.*)", partly.log)
    assert line
    with subprocess.Popen(line[1], shell=True, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            url = f"http://127.0.0.1:{partly.port_base + 3002}/livez"
            wait_until(lambda: _answers(url), "the BFF answers")
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_terminal_shows_colours_and_ctrl_c_stops(tmp_path: Path) -> None:
    """As a person runs it: coloured names, a progress line, and the key Ctrl-C."""
    shown, code = run_on_terminal([], tmp_path)
    assert code == 0
    assert re.search(r"\x1b\[\d+musers +\| \x1b\[0m", shown)
    assert "of 3 ready, waiting for" in shown
    assert "stopped, no process is left" in shown


def test_no_color_is_plain(tmp_path: Path) -> None:
    shown, _ = run_on_terminal(["--no-color"], tmp_path)
    assert not re.search(r"\x1b\[[0-9;]*[1-9][0-9]*m", shown)


def test_port_in_use_is_one_line_with_a_way_out(stack: RunningStack) -> None:
    """Started where a stack runs already."""
    line = refuse_up("--port-base", str(stack.port_base))
    assert f"{stack.port_base + 8000} (edge)" in line
    assert "--port-base" in line


@pytest.mark.parametrize(
    ("url", "says"),
    [("redis://127.0.0.1:1/0", "Connection refused"), ("127.0.0.1", "is no Redis URL")],
)
def test_bad_redis_url_is_one_line_with_a_way_out(url: str, says: str) -> None:
    line = refuse_up("--port-base", str(find_free_base()), REDIS_URL=url)
    assert url in line
    assert says in line
    assert "unset REDIS_URL to use the embedded Valkey" in line


def test_redis_url_replaces_the_embedded_store(stack: RunningStack, start_stack: StartStack) -> None:
    """With a Redis of one's own no Valkey is started."""
    redis_url = stack.ready["urls"]["redis_state"]
    own = start_stack(*SMALL, REDIS_URL=redis_url)
    own.wait_healthy()
    assert own.ready["urls"]["redis_state"] == redis_url
    assert set(own.ready["pids"]) == {"identity", "users"}
    own.stop_cleanly()


@pytest.mark.parametrize(
    ("prelude", "says"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.11 or newer is needed, this is 3.9"),
        ("sys.modules['ensurepip'] = None", "lacks the venv module"),
    ],
)
def test_unfit_python_is_told_in_one_line(prelude: str, says: str) -> None:
    """`make up` with an old or incomplete Python says what to do instead of installing half of it."""
    code = f"import runpy, sys; {prelude}; runpy.run_path({str(BOOTSTRAP)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_bootstrap_is_readable_for_old_pythons() -> None:
    """A syntax error would come before the sentence that explains."""
    ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 5))


def test_make_up_hands_its_arguments_on() -> None:
    """`make up ARGS="--except web"` runs the installed command with them."""
    done = subprocess.run(
        ["make", "--dry-run", "up", "ARGS=--except web"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_S,
    )
    assert "trivium up --except web" in done.stdout


def refuse_up(*arguments: str, **environment: str) -> str:
    """The one line with which `trivium up` refuses to start."""
    done = subprocess.run(
        [sys.executable, "-m", "trivium_cli", "up", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env=os.environ | environment,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def run_on_terminal(arguments: list[str], folder: Path) -> tuple[str, int]:
    """A short stack on a terminal until it is healthy, then the key Ctrl-C; returns what was shown and the exit code."""
    master, terminal = pty.openpty()
    base = str(find_free_base())
    words = ["up", "--port-base", base, "--data-dir", str(folder), *SMALL, *arguments]
    # A session of its own with the terminal, so that Ctrl-C reaches it as it does for people.
    take_terminal = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", take_terminal, sys.executable, "-m", "trivium_cli", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color"},
    )
    os.close(terminal)
    shown = b""
    give_up_at_s = time.monotonic() + LIMIT_S
    is_interrupted = False
    with contextlib.suppress(OSError):  # EIO: the last process has closed the terminal
        while time.monotonic() < give_up_at_s and (part := os.read(master, 65536)):
            shown += part
            if not is_interrupted and b"Credentials" in shown:
                is_interrupted = True
                os.write(master, b"\x03")
    os.close(master)
    return shown.decode(errors="replace"), process.wait(LIMIT_S)


def _answers(url: str) -> bool:
    import httpx

    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, trust_env=False).status_code == 200
    return False
