"""One line on standard output for each request, written by a thread: a slow or hung reader never holds a request up.

Lines wait in a bounded buffer; what does not fit is dropped and counted. Workers share one pipe, so lines are
written whole and at most PIPE_BUF bytes at a time, which the kernel never mixes with another worker's.
"""

import asyncio
import os
import queue
import threading

FLUSH_S = 0.05
# POSIX guarantees 512; Linux has 4096 (pipe(7)).
ATOMIC_BYTES = 4096


class AccessLog:
    """Takes lines on the event loop, writes them to `fd` elsewhere. `max_bytes` may wait."""

    def __init__(self, fd: int, *, max_bytes: int) -> None:
        self.dropped = 0
        self._fd = fd
        self._max_bytes = max_bytes
        self._lines: list[bytes] = []
        self._waiting_bytes = 0
        self._flush: asyncio.TimerHandle | None = None
        self._batches: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_batches, name="access-log", daemon=True)
        self._writer.start()

    def write_nowait(self, line: bytes) -> None:
        """Take one line without its line break; drop it when too much waits already."""
        size = len(line) + 1
        if self._waiting_bytes + size > self._max_bytes:
            self.dropped += 1
            return
        self._waiting_bytes += size
        self._lines.append(line)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(FLUSH_S, self._hand_over)

    def close(self, timeout_s: float = 1.0) -> None:
        """Write what waits and stop the thread; a reader that hangs costs `timeout_s` and the lines."""
        if self._flush is not None:
            self._flush.cancel()
        self._hand_over()
        self._batches.put(None)
        self._writer.join(timeout_s)

    def _hand_over(self) -> None:
        self._flush = None
        if self._lines:
            self._batches.put(self._lines)
            self._lines = []

    def _write_batches(self) -> None:
        while (batch := self._batches.get()) is not None:
            for chunk in _join_lines(batch):
                self._write(chunk)
                self._waiting_bytes -= len(chunk)

    def _write(self, chunk: bytes) -> None:
        try:
            while chunk:
                chunk = chunk[os.write(self._fd, chunk) :]
        except OSError:
            # Nobody reads any more; requests matter more than their log.
            self.dropped += chunk.count(b"\n")


def _join_lines(lines: list[bytes]) -> list[bytes]:
    """`lines` in as few chunks as possible, each of whole lines and at most ATOMIC_BYTES (but one longer line)."""
    chunks: list[bytes] = []
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) + 1 > ATOMIC_BYTES:
            chunks.append(b"\n".join(chunk) + b"\n")
            chunk, size = [], 0
        chunk.append(line)
        size += len(line) + 1
    if chunk:
        chunks.append(b"\n".join(chunk) + b"\n")
    return chunks
