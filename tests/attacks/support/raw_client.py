"""A client that sends the bytes it is told to, and reads plainly framed answers."""

import contextlib
import socket
from collections.abc import Iterator
from typing import NamedTuple

LIMIT_S = 20.0


class Answer(NamedTuple):
    """Status, header lines (lower-case names) and body. `is_whole` when the body has its announced length."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool = True


class RawClient:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, data: bytes) -> bool:
        """Send; whether the other side still took it."""
        try:
            self._sock.sendall(data)
        except OSError:
            return False
        return True

    def read(self) -> Answer | None:
        """The next answer, None when the connection ended before one began."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(self._buffer) < length:
            if not self._receive():
                return Answer(int(first.split()[1]), headers, self._buffer, is_whole=False)
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(first.split()[1]), headers, body)

    def read_all(self) -> list[Answer]:
        """Every answer until the other side closes."""
        answers = []
        while (answer := self.read()) is not None:
            answers.append(answer)
        return answers

    def close(self) -> None:
        """Leave."""
        self._sock.close()

    def _receive(self) -> bool:
        try:
            data = self._sock.recv(1 << 16)
        except ConnectionResetError:
            return False
        self._buffer += data
        return bool(data)


@contextlib.contextmanager
def connect(port: int) -> Iterator[RawClient]:
    """A connection for the block."""
    client = RawClient(port)
    try:
        yield client
    finally:
        client.close()
