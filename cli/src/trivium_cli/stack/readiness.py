"""Asks a starting process whether it is ready.

Stands on bare streams: a whole HTTP client would take longer to import than most of these questions take.
"""

import asyncio
from collections.abc import Awaitable, Callable

from trivium_cli.stack.layout import HOST

PROBE_TIMEOUT_S = 2.0
SHORTEST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.4
_MAX_ANSWER_BYTES = 4096

# Returns why the process is not ready, or nothing when it is.
Probe = Callable[[], Awaitable[str]]


async def probe_http(port: int, path: str = "/readyz") -> str:
    """Why GET `path` on `port` is not answered 200, or an empty string when it is."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n"
    answer = await _exchange(port, request.encode())
    if answer is None:
        return "does not answer"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status == [b"200"]:
        return ""
    reason = body.decode(errors="replace")[:200]
    return f"answers {b''.join(status).decode(errors='replace') or 'garbage'} {reason}".rstrip()


async def probe_redis(port: int) -> str:
    """Why a PING on `port` is not answered, or an empty string when it is."""
    answer = await _exchange(port, b"PING\r\nQUIT\r\n")
    return "" if answer and answer.startswith(b"+PONG") else "does not answer PING"


async def wait_ready(probe: Probe, activity: asyncio.Event, tell: Callable[[str], None]) -> None:
    """Return when `probe` finds nothing to say; `tell` hears each reason.

    The next question comes as soon as the process shows `activity` (a log line), else after a growing pause.
    """
    pause_s = SHORTEST_PAUSE_S
    while reason := await probe():
        tell(reason)
        try:
            async with asyncio.timeout(pause_s):
                await activity.wait()
        except TimeoutError:
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)
        activity.clear()
    tell("")


async def _exchange(port: int, request: bytes) -> bytes | None:
    """The first bytes of the answer, or None when there is none in time."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(request)
                answer = b""
                while len(answer) < _MAX_ANSWER_BYTES and (part := await reader.read(_MAX_ANSWER_BYTES)):
                    answer += part
                return answer
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
