"""One real stack for the whole session; what tests share lies in `support` and is importable."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

sys.path.append(str(Path(__file__).parent / "support"))

from running_stack import RunningStack, StartStack

SESSION_STACK = pytest.StashKey[RunningStack]()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[RunningStack]:
    """The stack that all tests share. What a test breaks in it, it mends before it ends."""
    running = RunningStack(tmp_path_factory.mktemp("stack"))
    request.config.stash[SESSION_STACK] = running
    running.wait_healthy()
    yield running
    running.stop_cleanly()


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[StartStack]:
    """Starts stacks of a test's own; those that still run at its end are killed."""
    started: list[RunningStack] = []

    def start(*arguments: str, **environment: str) -> RunningStack:
        started.append(RunningStack(tmp_path / f"stack-{len(started)}", *arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture(scope="session")
def edge(stack: RunningStack) -> Iterator[httpx.Client]:
    """A client of the shared stack's edge."""
    with stack.connect("edge") as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the shared stack logged during a test that failed."""
    report = yield
    running = item.config.stash.get(SESSION_STACK, None)
    if running is None:
        return report
    if report.when == "setup":
        running.mark_log()
    if report.failed:
        report.sections.append(("log of the stack since the test began", running.log_since_mark()))
    return report
