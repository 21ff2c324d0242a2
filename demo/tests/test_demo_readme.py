"""The README's curl lines, run against the running stack."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trivium_demo.settings import DEFAULT_PORTS

README = Path(__file__).parents[1] / "README.md"
LINES = [line.strip() for line in README.read_text().splitlines() if line.startswith("    curl ")]


def _request(line: str) -> dict[str, Any]:
    """The request that curl would send, for the few options that the README uses."""
    words = iter(shlex.split(line)[1:])
    request: dict[str, Any] = {"method": None, "headers": {}, "auth": None}
    body: list[str] = []
    for word in words:
        if word == "-X":
            request["method"] = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            request["headers"][name] = value
        elif word == "-d":
            body.append(next(words))
        elif word == "-u":
            request["auth"] = tuple(next(words).split(":"))
        else:
            assert word.startswith("http://127.0.0.1:"), word
            request["url"] = word
    request["method"] = request["method"] or ("POST" if body else "GET")
    if body:
        request["content"] = "&".join(body)
        request["headers"].setdefault("Content-Type", "application/x-www-form-urlencoded")
    return request


@pytest.fixture
def cleared(stack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The stack, without the faults that a line sets."""
    yield stack
    stack["users"].client.delete("/_control")


@pytest.mark.parametrize("line", LINES)
def test_line_works(cleared: dict[str, Any], line: str) -> None:
    request = _request(line)
    match = re.match(r"http://127\.0\.0\.1:(\d+)(.*)", request.pop("url"))
    assert match is not None
    name = next(name for name, port in DEFAULT_PORTS.items() if port == int(match[1]))
    response = cleared[name].client.request(url=match[2], **request)
    assert response.status_code in (200, 201, 202), response.text
    answer = response.json()
    assert "errors" not in answer
    assert answer.get("rejected", 0) == 0
    if "items" in answer:
        assert answer["items"]


def test_every_upstream_is_shown() -> None:
    assert {name for name, port in DEFAULT_PORTS.items() if f":{port}/" in README.read_text()} == set(
        DEFAULT_PORTS
    )
