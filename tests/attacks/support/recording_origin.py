"""An upstream that writes down what reaches it, read by a second parser (h11) that shares no code with the edge."""

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import h11

LIMIT_S = 30.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Received:
    """One request as the upstream understood it. `is_whole` when its body came to its end."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)
    is_whole: bool = False

    def values(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for found, value in self.headers if found == name]

    def header(self, name: str) -> str | None:
        """The header's only value, or None. Two of them are a fault of the sender."""
        values = self.values(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


class RecordingOrigin:
    """Answers every request with what it received; the last word of the path asks for something else.

    `.../reset`: the connection is reset after the request. `.../half`: reset amid the answer. `.../wait`: nothing
    before `release` is set. `documents` are served at their paths. With `redirect`, everything is sent there.
    """

    def __init__(self, documents: Mapping[str, object] | None = None, redirect: str | None = None) -> None:
        self.requests: list[Received] = []
        # What h11 would not read: the edge must never send such a thing.
        self.faults: list[str] = []
        self.release = threading.Event()
        self._documents = documents if documents is not None else {}
        self._redirect = redirect
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def asked_for(self, word: str) -> list[Received]:
        """The requests with `word` in their target."""
        return [request for request in self.requests if word in request.target]

    def close(self) -> None:
        """Stop."""
        self.release.set()
        # Closing alone would leave the thread waiting in accept.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        with sock, contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := self._read(sock, parser)) is not None:
                if not self._answer(sock, parser, request):
                    return
                parser.start_next_cycle()

    def _read(self, sock: socket.socket, parser: h11.Connection) -> Received | None:
        request: Received | None = None
        is_ended = False
        while True:
            try:
                event = parser.next_event()
            except h11.RemoteProtocolError as error:
                if not is_ended:  # an end amid a body is a request that the edge gave up, as it should
                    self.faults.append(str(error))
                return None
            if event is h11.NEED_DATA:
                data = sock.recv(1 << 16)
                is_ended = not data
                parser.receive_data(data)
            elif isinstance(event, h11.Request):
                headers = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
                request = Received(event.method.decode(), event.target.decode(), headers)
                self.requests.append(request)
            elif isinstance(event, h11.Data) and request is not None:
                request.body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                request.is_whole = True
                return request
            else:
                return None

    def _answer(self, sock: socket.socket, parser: h11.Connection, request: Received) -> bool:
        """Answer; whether the connection goes on."""
        path = request.target.partition("?")[0]
        word = path.rpartition("/")[2]
        if word == "wait":
            self.release.wait(LIMIT_S)
        document = self._documents.get(path) or {
            "method": request.method,
            "target": request.target,
            "headers": request.headers,
        }
        body = json.dumps(document).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
        if self._redirect is not None:
            headers.append(("location", self._redirect))
        status = 200 if self._redirect is None else 302
        head = parser.send(h11.Response(status_code=status, headers=headers)) or b""
        rest = (parser.send(h11.Data(data=body)) or b"") + (parser.send(h11.EndOfMessage()) or b"")
        if word in ("reset", "half"):
            if word == "half":
                sock.sendall(head + rest[: len(rest) // 2])
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            return False
        sock.sendall(head + (b"" if request.method == "HEAD" else rest))
        return parser.our_state is h11.DONE and parser.their_state is h11.DONE
