"""CPU time of one call with the HTTP client: `python benchmarks/micro/http_client.py [CALLS]`.

A child process answers 480 bytes of JSON from a minimal protocol; the parent counts its own CPU time per call,
one call at a time and 32 at once, alternating, best of three.
"""

import asyncio
import multiprocessing
import sys
import time

import uvloop

from trivium_common.http import HttpClient

BODY = b'{"padding":"' + b"x" * 466 + b'"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: x\r\nserver: y\r\ncontent-length: 480\r\n\r\n"
    + BODY
)
HEADERS = [(b"accept", b"application/json"), (b"x-request-id", b"0" * 32), (b"traceparent", b"0" * 55)]


class Answering(asyncio.Protocol):
    """Answers whatever ends in an empty line."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))  # type: ignore[attr-defined]


def serve(ready: "multiprocessing.SimpleQueue[int]") -> None:
    """Run the answering side until killed."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


async def measure(client: HttpClient, calls: int, at_once: int) -> float:
    """Microseconds of CPU per call."""

    async def lane() -> None:
        for _ in range(calls // at_once):
            await client.request("GET", "/users/1", headers=HEADERS, deadline=time.monotonic() + 5)

    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(lane())
    return (time.process_time() - before) / calls * 1e6


async def main(port: int, calls: int) -> None:
    """Print the best of three for both loads."""
    client = HttpClient(f"http://127.0.0.1:{port}")
    results: dict[int, list[float]] = {1: [], 32: []}
    await measure(client, 2000, 32)
    for _ in range(3):
        for at_once, figures in results.items():
            figures.append(await measure(client, calls, at_once))
    for at_once, figures in results.items():
        print(
            f"{at_once:3} at once: {min(figures):6.1f} us of CPU a call  (runs: {', '.join(f'{f:.1f}' for f in figures)})"
        )
    await client.aclose()


if __name__ == "__main__":
    queue = multiprocessing.SimpleQueue()
    child = multiprocessing.Process(target=serve, args=(queue,), daemon=True)
    child.start()
    uvloop.run(main(queue.get(), int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
    child.kill()
