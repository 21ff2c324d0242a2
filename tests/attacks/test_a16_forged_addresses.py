"""A16: a limit counts the peer, whatever address a request claims to come from."""

from attacked_edge import AttackedEdge
from recording_origin import RecordingOrigin

CLAIMS = [
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "X_Forwarded_For",
    "True-Client-IP",
    "CF-Connecting-IP",
]
WORKERS, BURST = 2, 2


def test_no_header_brings_a_fresh_bucket(attacked: AttackedEdge, origin: RecordingOrigin) -> None:
    """Six requests a header, each from another claimed address: all together get one peer's burst in each worker."""
    statuses = [
        attacked.get("/scarce/x", {name: f"{prefix}198.51.100.{number}"}).status_code
        for number in range(6)
        for name in CLAIMS
        for prefix in ["for=" if name == "Forwarded" else ""]
    ]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) <= WORKERS * BURST
    assert len(origin.requests) == statuses.count(200)
    for request in origin.requests:
        assert request.header("x-forwarded-for") == "127.0.0.1"
        assert request.values("x-real-ip") + request.values("forwarded") == []
