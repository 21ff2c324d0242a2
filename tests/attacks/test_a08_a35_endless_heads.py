"""A8, A35: heads without end, in a token or anywhere, cost neither memory nor anybody else's time."""

import pytest
from attacked_edge import AttackedEdge
from raw_client import connect
from recording_origin import RecordingOrigin

HUNDRED_MB = 100_000_000
PIECE = b"A" * 262_144
# What a hundred megabytes kept for a moment would show, ten times over.
GROWTH_MIB = 10.0


@pytest.mark.parametrize(
    ("start", "status"),
    [
        (b"GET /web/x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ", 431),
        (b"GET /web/x HTTP/1.1\r\nHost: a\r\nX-API-Key: ", 431),
        (b"GET /web/", 414),
        (b"GET /web/x HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 1000, 431),
    ],
    ids=["token", "key", "target", "lines"],
)
def test_hundred_megabytes_of_head_are_refused_at_once_in_flat_memory(
    attacked: AttackedEdge, origin: RecordingOrigin, start: bytes, status: int
) -> None:
    """The answer comes after the first megabyte; what follows it is thrown away unread."""
    before_mib = attacked.memory_mib()
    with connect(attacked.ports["proxy"]) as client:
        client.send(start)
        for _ in range(4):
            client.send(PIECE)
        answer = client.read()
        assert answer is not None
        assert answer.status == status
        sent = 0
        while sent < HUNDRED_MB and client.send(PIECE):
            sent += len(PIECE)
    assert attacked.memory_mib() - before_mib < GROWTH_MIB
    assert origin.requests == []
    assert attacked.get("/open/well").status_code == 200


def test_a_token_as_long_as_a_head_may_be_is_a_401(attacked: AttackedEdge, origin: RecordingOrigin) -> None:
    """60 KB of header segment pass the parser and end in the authentication, without any decoding."""
    answer = attacked.get("/web/x", {"Authorization": f"Bearer {'A' * 60_000}.e30.AAAA"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credential")
    assert origin.requests == []
