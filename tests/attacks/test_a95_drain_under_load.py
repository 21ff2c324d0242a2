"""A95: SIGTERM while clients call: whatever the edge took on, it answers."""

import signal
import threading

import httpx
from attacked_edge import AttackedEdge
from raw_client import RawClient
from running_stack import wait_until

CLIENTS = 6
REQUEST = b"GET /open/x HTTP/1.1\r\nHost: a\r\n\r\n"


class Caller(threading.Thread):
    """Calls over kept connections until the port is closed. `broken` are requests that got less than an answer."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.answered = 0
        self.broken: list[str] = []

    def run(self) -> None:
        """Call, and call again."""
        while True:
            try:
                client = RawClient(self._port)
            except ConnectionRefusedError:
                return
            self._use(client)
            client.close()

    def _use(self, client: RawClient) -> None:
        is_reused = False
        while client.send(REQUEST):
            answer = client.read()
            if answer is None:
                # A kept connection may end while a request is on its way: clients ask again (RFC 9112 §9.3.1).
                # One that was accepted for this request may not.
                if not is_reused and self.is_listening():
                    self.broken.append("a new connection ended without an answer")
                return
            if answer.status != 200 or not answer.is_whole:
                self.broken.append(f"{answer.status} whole={answer.is_whole}")
            self.answered += 1
            is_reused = True
            if answer.headers.get("connection") == "close":
                return

    def is_listening(self) -> bool:
        """Whether the port still takes connections."""
        try:
            RawClient(self._port).close()
        except ConnectionRefusedError:
            return False
        return True


def test_no_request_fails_while_the_edge_drains(own_edge: AttackedEdge) -> None:
    """Six clients without a pause and one slow request: all answered, readiness off, exit code 0, nothing cut."""
    callers = [Caller(own_edge.ports["proxy"]) for _ in range(CLIENTS)]
    slow: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: slow.append(own_edge.get("/open/wait")))
    waiting.start()
    for caller in callers:
        caller.start()
    wait_until(lambda: own_edge.origin.asked_for("/wait"), "the slow request is at the upstream")
    wait_until(lambda: all(caller.answered > 20 for caller in callers), "everyone is served")

    own_edge.process.send_signal(signal.SIGTERM)
    wait_until(lambda: own_edge.readiness() == "draining", "readiness is off")
    for caller in callers:
        caller.join(30)
        assert not caller.is_alive()
    own_edge.origin.release.set()
    waiting.join(30)

    assert [caller.broken for caller in callers] == [[]] * CLIENTS
    assert slow[0].status_code == 200
    assert own_edge.process.wait(30) == 0
    stopped = [line for line in own_edge.log if line["message"] == "stopped"]
    assert stopped[0]["requests_cut"] == 0
    # Every request that the upstream saw was answered to somebody, none twice.
    served = sum(caller.answered for caller in callers) + 1
    assert served <= len(own_edge.origin.requests) <= served + CLIENTS
