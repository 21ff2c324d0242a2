"""The access log never blocks, never mixes lines, and counts what it drops."""

import asyncio
import os
import threading

from trivium_edge.telemetry.access_log import ATOMIC_BYTES, AccessLog


def read_all(fd: int, into: list[bytes]) -> threading.Thread:
    def run() -> None:
        while chunk := os.read(fd, 1 << 20):
            into.append(chunk)
        os.close(fd)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


async def test_lines_arrive_whole_and_in_order() -> None:
    reading, writing = os.pipe()
    chunks: list[bytes] = []
    reader = read_all(reading, chunks)
    log = AccessLog(writing, max_bytes=1 << 20)
    lines = [b"%d %b" % (number, b"x" * (number % 700)) for number in range(500)]

    for line in lines:
        log.write_nowait(line)
    await asyncio.to_thread(log.close)
    os.close(writing)
    reader.join()

    assert b"".join(chunks).splitlines() == lines
    assert log.dropped == 0


async def test_two_writers_of_one_pipe_never_mix_their_lines() -> None:
    reading, writing = os.pipe()
    chunks: list[bytes] = []
    reader = read_all(reading, chunks)
    logs = [AccessLog(os.dup(writing), max_bytes=1 << 24) for _ in range(3)]
    os.close(writing)

    for number in range(2000):
        for name, log in zip(b"abc", logs, strict=True):
            log.write_nowait(bytes([name]) * (50 + number % 900))
    for log in logs:
        await asyncio.to_thread(log.close, 10.0)
        os.close(log._fd)
    reader.join()

    lines = b"".join(chunks).splitlines()
    assert len(lines) == 6000
    assert all(len(set(line)) == 1 for line in lines)


async def test_a_reader_that_hangs_costs_lines_and_no_time() -> None:
    reading, writing = os.pipe()
    log = AccessLog(writing, max_bytes=10_000)

    for _ in range(3000):
        log.write_nowait(b"x" * 99)
        await asyncio.sleep(0)

    assert log.dropped >= 3000 - 100 - 65_536 // 100
    os.close(reading)
    await asyncio.to_thread(log.close)
    os.close(writing)


async def test_a_reader_that_went_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    log = AccessLog(writing, max_bytes=10_000)

    log.write_nowait(b"x")
    await asyncio.to_thread(log.close)
    os.close(writing)

    assert log.dropped == 1


def test_a_chunk_is_atomic_for_a_pipe() -> None:
    assert os.fpathconf(os.pipe()[1], "PC_PIPE_BUF") >= ATOMIC_BYTES
