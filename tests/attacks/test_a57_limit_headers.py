"""A57: what a limit tells a client is never nonsense, and waiting as told succeeds."""

import time

import httpx
from attacked_edge import AttackedEdge


def test_figures_are_never_negative_and_waiting_as_told_succeeds(attacked: AttackedEdge) -> None:
    """Over one connection, thus in one worker's bucket: count down, refusal, wait, passed."""
    with httpx.Client(base_url=attacked.url, timeout=30, trust_env=False) as client:
        answers = [client.get("/refilling/x") for _ in range(30)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        for answer in answers:
            limit, remaining = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
            assert 0 <= remaining <= limit == 5
        for answer in refused:
            assert answer.headers["x-ratelimit-remaining"] == "0"
            assert answer.json()["retry_after"] == int(answer.headers["retry-after"]) >= 1
        time.sleep(int(refused[-1].headers["retry-after"]))
        assert client.get("/refilling/x").status_code == 200
