"""The load: connections that always have one request under way, each request with another seed.

Run as a process of its own on the upstreams' core: `python load.py URL OPERATION CONNECTIONS SECONDS`.
"""

import asyncio
import json
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

SEEDS = range(1000, 2000)  # the subgraphs keep the answers to so many


def request_body(query: str, seed: int) -> bytes:
    """The client's request for one seed, a string where the operation takes an ID."""
    value: object = str(seed * 6 + 1) if "$seed: ID!" in query else seed
    return json.dumps({"query": query, "variables": {"seed": value}}).encode()


class Client(asyncio.Protocol):
    """One connection: the next request goes out when the answer is complete."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0
        self._has_errors = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Look for GraphQL errors."""
        if b'"errors"' in body:
            self._has_errors = True

    def on_message_complete(self) -> None:
        """Count the answer and send the next request."""
        is_bad = self._has_errors or self._parser.get_status_code() != 200
        self._has_errors = False
        self._load.count(time.perf_counter() - self._sent_at, is_bad=is_bad)
        if time.perf_counter() < self._load.stop_at:
            # on_message_complete runs inside feed_data: the parser can take the next answer only after it returned.
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell the load that this client is done."""
        self._load.client_done()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._load.requests))


class Load:
    """All connections of one measurement."""

    def __init__(self, url: str, query: str, connections: int, seconds: float) -> None:
        self._address = urlsplit(url)
        self._connections = connections
        self._open = connections
        self.requests = cycle([self._request(query, seed) for seed in SEEDS])
        self.stop_at = time.perf_counter() + seconds
        self.latencies_s: list[float] = []
        self.bad = 0

    async def run(self) -> dict[str, float]:
        """Run to the end and summarise."""
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        host, port = self._address.hostname or "127.0.0.1", self._address.port or 80
        for _ in range(self._connections):
            await loop.create_connection(lambda: Client(self), host, port)
        await self._done
        ordered = sorted(self.latencies_s)
        return {
            "requests": len(ordered),
            "bad": self.bad,
            "p50_ms": ordered[len(ordered) // 2] * 1e3,
            "p99_ms": ordered[int(len(ordered) * 0.99)] * 1e3,
        }

    def count(self, latency_s: float, *, is_bad: bool) -> None:
        """Note one answer."""
        self.latencies_s.append(latency_s)
        self.bad += is_bad

    def client_done(self) -> None:
        """Note that a connection is closed."""
        self._open -= 1
        if not self._open:
            self._done.set_result(None)

    def _request(self, query: str, seed: int) -> bytes:
        body = request_body(query, seed)
        head = (
            f"POST {self._address.path} HTTP/1.1\r\nhost: {self._address.netloc}\r\ncontent-type: application/json\r\n"
            f"accept: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def main() -> None:
    """Print the summary as JSON."""
    url, operation, connections, seconds = sys.argv[1:]
    query = json.loads(Path(__file__).with_name("operations.json").read_text())[operation]
    load = Load(url, query, int(connections), float(seconds))
    print(json.dumps(uvloop.run(load.run())))


if __name__ == "__main__":
    main()
