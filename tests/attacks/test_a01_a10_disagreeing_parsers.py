"""A1-A7, A10, A22: thousands of broken requests, and an upstream whose parser must never see something else than the edge.

The cases of ATTACKS one by one are in edge/tests/proxy; here mutations look for the ones that nobody wrote down.
"""

import random
from concurrent.futures import ThreadPoolExecutor

from attacked_edge import AttackedEdge
from raw_client import Answer, connect
from recording_origin import RecordingOrigin
from running_stack import wait_until

SEED = 20_261_125
CASES = 800
SMUGGLED = b"GET /open/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTH = b"%d" % len(SMUGGLED)
SEEDS = [
    b"GET /open/a?b=c HTTP/1.1\r\nHost: a\r\nX-Name: value\r\n\r\n",
    b"POST /open/b HTTP/1.1\r\nHost: a\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + SMUGGLED,
    b"POST /open/c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n29\r\n"
    + SMUGGLED
    + b"\r\n0\r\n\r\n",
    b"PUT /open/d HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Name\r\nX-Name: 1\r\nContent-Length: 0\r\n\r\n",
]
PIECES = [
    *(
        b"\r",
        b"\n",
        b"\0",
        b" ",
        b"\t",
        b"\x0b",
        b"\x0c",
        b"\x7f",
        b"\x80",
        b"\xff",
        b":",
        b",",
        b";",
        b"\r\n",
    ),
    *(
        b"\r\n\r\n",
        b"\r\n ",
        b"0",
        b"1",
        b"-",
        b"+",
        b"0x",
        b"_",
        b'"',
        b"\\",
        b"chunked",
        b"identity",
        b"HTTP/1.0",
    ),
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"content-length : 0\r\n",
    b"Content_Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding:\x0bchunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Connection: Content-Length\r\n",
    b"Connection: Transfer-Encoding, Host\r\n",
    b"Expect: 100-continue\r\n",
    b"Trailer: Content-Length\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    b"Host: b\r\n",
    SMUGGLED,
]


def mutate(rng: random.Random) -> bytes:
    """One to four changes to a good request: a piece put in, bytes taken out, a line repeated or moved."""
    raw = rng.choice(SEEDS)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(5):
            case 0 | 1:
                raw = raw[:at] + rng.choice(PIECES) + raw[at:]
            case 2:
                raw = raw[:at] + raw[at + rng.randint(1, 3) :]
            case 3:
                lines = raw.split(b"\r\n")
                lines.insert(rng.randrange(len(lines)), rng.choice(lines))
                raw = b"\r\n".join(lines)
            case _:
                raw = raw[:at] + raw[at:].replace(b"\r\n", rng.choice([b"\n", b"\r", b"\r\r\n"]), 1)
    return raw


def attack(port: int, raw: bytes) -> list[Answer]:
    """Send it, and a last good request behind it; the answers until the edge closes."""
    with connect(port) as client:
        client.send(raw + b"GET /open/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return client.read_all()


def test_edge_and_upstream_read_every_broken_request_alike(
    attacked: AttackedEdge, origin: RecordingOrigin
) -> None:
    """Each request at the upstream is one that the edge itself counted, marked and answered; nothing rides along."""
    rng = random.Random(SEED)
    raws = [mutate(rng) for _ in range(CASES)]

    with ThreadPoolExecutor(16) as pool:
        answers = [
            answer
            for found in pool.map(lambda raw: attack(attacked.ports["proxy"], raw), raws)
            for answer in found
        ]

    statuses = [answer.status for answer in answers]
    # The table reaches both sides of the parser: what it lets pass and what it refuses.
    assert statuses.count(200) > CASES // 8
    assert statuses.count(400) > CASES // 4
    assert set(statuses) <= {100, 200, 400, 404, 405, 408, 413, 414, 417, 431, 501}
    assert origin.faults == []
    ids = [request.header("x-request-id") for request in origin.requests]
    assert None not in ids
    assert len(set(ids)) == len(ids)
    for request in origin.requests:
        assert request.header("x-forwarded-for") is not None
        assert f"http://{request.header('host')}" == origin.url
        assert len(request.values("content-length") + request.values("transfer-encoding")) <= 1
    wait_until(
        lambda: {line["request_id"] for line in attacked.access_log} >= set(ids),
        "every request at the upstream is in the edge's log",
    )
    answered = {answer.headers["x-request-id"] for answer in answers if answer.status == 200}
    assert answered <= set(ids)
    assert attacked.get("/open/well").status_code == 200
