"""A86, A87: cursors that nobody handed out and fields that no screen has are the caller's fault: 400."""

import base64
from typing import Any

import httpx
import pytest

PRODUCTS = "/api/mobile/products"


def test_a_forged_cursor_is_refused(paced_edge: httpx.Client, linus: dict[str, dict[str, str]]) -> None:
    """Changed in any place, shortened, lengthened, of another list, or made up."""
    page = paced_edge.get(PRODUCTS, params={"limit": 2}, headers=linus["mobile"]).json()
    cursor = page["next_cursor"]
    orders = paced_edge.get("/api/mobile/orders", params={"limit": 1}, headers=linus["mobile"]).json()
    swap = {"A": "B"}
    changed = [
        cursor[:at] + swap.get(cursor[at], "A") + cursor[at + 1 :]
        for at in range(0, len(cursor), max(1, len(cursor) // 12))
    ]
    made_up = [base64.urlsafe_b64encode(text).decode() for text in (b"40", b'{"offset":40}', b"p40", b"-1")]
    forged = [*changed, cursor[:-4], cursor * 2, orders["next_cursor"], *made_up, "x" * 4_000, "\u202e", " "]

    assert (
        paced_edge.get(PRODUCTS, params={"limit": 2, "cursor": cursor}, headers=linus["mobile"]).status_code
        == 200
    )
    for value in forged:
        answer = paced_edge.get(PRODUCTS, params={"limit": 2, "cursor": value}, headers=linus["mobile"])
        # Longer than any cursor is a parameter out of bounds, like a page of a million.
        assert answer.status_code == (422 if len(value) > 1_000 else 400), value[:80]
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("after", ["x", "!!!", "\u0000", "a" * 5_000, "MTA", "eyJvZmZzZXQiOi0xfQ"])
def test_a_forged_cursor_is_a_graphql_error(
    paced_edge: httpx.Client, linus: dict[str, dict[str, str]], after: str
) -> None:
    body = {
        "query": "query ($a: String) { products(first: 1, after: $a) { edges { cursor } } }",
        "variables": {"a": after},
    }
    answer = paced_edge.post("/api/web/graphql", json=body, headers=linus["web"])
    document: dict[str, Any] = answer.json()
    assert answer.status_code == 200
    assert (document["data"] or {}).get("products") is None
    assert {error["extensions"]["code"] for error in document["errors"]} <= {
        "BAD_USER_INPUT",
        "INVALID_INPUT",
    }


FIELDS = {
    "unknown": "user,nonsense",
    "dunder": "__class__",
    "dunder below": "user.__class__.__mro__",
    "a method": "user.name.upper",
    "deep": ".".join(["user"] * 1_000),
    "many": ",".join(f"f{number}" for number in range(1_000)),
    "index": "products[0]",
    "wildcard": "*",
    "a path": "../user",
    "NUL": "user\u0000",
    "empty names": ",,,",
    "format string": "{user.__init__.__globals__}",
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_fields_that_no_screen_has_are_refused(
    paced_edge: httpx.Client, linus: dict[str, dict[str, str]], fields: str
) -> None:
    answer = paced_edge.get("/api/mobile/home", params={"fields": fields}, headers=linus["mobile"])
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "Traceback" not in answer.text


def test_fields_given_twice_do_not_add_up(paced_edge: httpx.Client, linus: dict[str, dict[str, str]]) -> None:
    """A filter before the BFF might have looked at the other one."""
    answer = paced_edge.get("/api/mobile/home?fields=user&fields=__class__", headers=linus["mobile"])
    assert answer.status_code == 400
