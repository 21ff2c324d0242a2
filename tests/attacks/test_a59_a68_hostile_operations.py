"""A59-A64, A66-A68: operations made to cost much or to break something, from a browser through the edge.

Each limit on its own is tested beside the web BFF; here they meet the real schema, and others must be served.
"""

import json
import time
from typing import Any

import httpx
import pytest
from running_stack import RunningStack

# A refusal takes milliseconds. Ten seconds of work inside of the BFF would show.
BOUND_S = 3.0
PATH = "/api/web/graphql"


def nested_fragments(levels: int, width: int) -> str:
    """Written out, `width ** levels` fields."""
    spreads = [f"fragment F{n} on User {{ {f'...F{n + 1} ' * width} }}" for n in range(levels)]
    return "{ me { ...F0 } } " + " ".join(spreads) + f" fragment F{levels} on User {{ id }}"


def nested_inline(levels: int) -> str:
    return "{ me {" + "... on User {" * levels + "id" + "}" * levels + "} }"


OPERATIONS = {
    "A59 aliases": "{" + " ".join(f"a{n}: me {{ id }}" for n in range(10_000)) + "}",
    "A59 aliases below a field": "{ me {" + " ".join(f"a{n}: name" for n in range(500)) + "} }",
    "A60 directives that nobody knows": "{ me { id " + "@a" * 1_500 + " } }",
    "A60 directives that repeat": "{ me { id " + "@skip(if: false) " * 350 + " } }",
    "A60 a field ten thousand times": "{ me {" + " id" * 10_000 + "} }",
    "A60 a field with sub-fields 500 times": "{" + " me { id }" * 500 + "}",
    "A61 fragments in a circle": "{ me { ...A } } fragment A on User { ...B } fragment B on User { ...A }",
    "A61 a fragment in itself": "{ me { ...A } } fragment A on User { id ...A }",
    "A62 fragments that nobody uses": "{ me { id } }"
    + "".join(f" fragment F{n} on User {{ id }}" for n in range(300)),
    "A63 inline fragments": nested_inline(600),
    "A63 depth": "{ me { orders { edges { node { user" * 4 + "{ id }" + "} } } } }" * 4,
    "A66 a number of five thousand digits": "{ products(first: " + "9" * 5_000 + ") { totalCount } }",
    "A66 a number without end": "{ products(first: 1e999999) { totalCount } }",
    "A66 half a surrogate": '{ product(id: "\\ud800") { id } }',
    "A66 lists ten thousand deep": "{ product(id: " + "[" * 900 + "]" * 900 + ") { id } }",
    "A67 no name among several": "query A { me { id } } query B { me { name } }",
    "A68 entities": '{ _entities(representations: [{__typename: "User", id: "u1"}]) { __typename } }',
    "A68 the SDL": "{ _service { sdl } }",
    "a subscription": "subscription { me { id } }",
}


def post(edge: httpx.Client, headers: dict[str, str], body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return edge.post(PATH, content=content, headers=headers | {"Content-Type": "application/json"})


def assert_refused(answer: httpx.Response, took_s: float) -> None:
    """A GraphQL error of the client's own, fast, without data and without our insides."""
    assert took_s < BOUND_S
    assert answer.status_code in (200, 400, 413)
    document = answer.json()
    assert document.get("data") is None
    for error in document["errors"]:
        assert error["extensions"]["code"] in (
            *("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_LIMIT_EXCEEDED"),
            *("BAD_USER_INPUT", "BAD_REQUEST", "BODY_TOO_LARGE"),
        )
    for inside in ("Traceback", "site-packages", "trivium_", "RecursionError", "graphql.", "<class"):
        assert inside not in answer.text


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_hostile_operation_is_refused_fast(
    stack: RunningStack, paced_edge: httpx.Client, linus: dict[str, dict[str, str]], operation: str
) -> None:
    """And the next one is answered."""
    began_s = time.monotonic()
    answer = post(paced_edge, linus["web"], {"query": operation})
    assert_refused(answer, time.monotonic() - began_s)
    after = post(paced_edge, linus["web"], {"query": "{ me { id } }"})
    assert after.json() == {"data": {"me": {"id": "u3"}}}


@pytest.mark.parametrize(("levels", "width"), [(60, 2), (9, 10), (200, 1)])
def test_nested_fragments_cost_what_they_are_written_with(
    paced_edge: httpx.Client, linus: dict[str, dict[str, str]], levels: int, width: int
) -> None:
    """A62: 2 ** 60 times the same field is one field; refused or answered, in no time."""
    began_s = time.monotonic()
    answer = post(paced_edge, linus["web"], {"query": nested_fragments(levels, width)})
    took_s = time.monotonic() - began_s
    if answer.json().get("data") is None:
        assert_refused(answer, took_s)
    else:
        assert answer.json() == {"data": {"me": {"id": "u3"}}}
        assert took_s < BOUND_S


BY_ID = "query ($id: ID!) { product(id: $id) { id } }"
FIRST = "query ($n: Int) { products(first: $n) { totalCount } }"


@pytest.mark.parametrize(
    "body",
    [
        [{"query": "{ me { id } }"}] * 1_000,
        b'{"query": "{ me { id } }", "variables": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
        b'{"query": "{ me { id } }", "variables": ' + b"[" * 100_000 + b"}",
        {"query": FIRST, "variables": {"n": 2**31}},
        {"query": FIRST, "variables": {"n": -(2**63)}},
        b'{"query": ' + json.dumps(FIRST).encode() + b', "variables": {"n": ' + b"9" * 5_000 + b"}}",
        b'{"query": ' + json.dumps(FIRST).encode() + b', "variables": {"n": 1e400}}',
        {"query": FIRST, "variables": {"n": 1.5}},
        {"query": FIRST, "variables": {"n": {"__class__": "int"}}},
        b'{"query": ' + json.dumps(BY_ID).encode() + b', "variables": {"id": "\\ud800"}}',
        {"query": BY_ID, "variables": {"id": ["p1"]}},
        {"query": BY_ID, "variables": {}},
        {"query": "query A { me { id } } query B { me { id } }", "operationName": "C"},
        {"query": "query A { me { id } }", "operationName": "a"},
        {"query": "query A { me { id } } query A { me { name } }", "operationName": "A"},
        b'{"query": "{ me { id } }\xff"}',
        b"\xef\xbb\xbf{}",
    ],
    ids=[
        *("A64 batch", "A66 deep variables", "A66 deep list", "A66 above int", "A66 below int", "A66 digits"),
        *("A66 infinite", "A66 fraction", "A66 object", "A66 surrogate", "A66 list for id", "A66 missing"),
        *("A67 unknown name", "A67 name in another case", "A67 a name twice", "not UTF-8", "byte order mark"),
    ],
)
def test_a_hostile_body_is_refused_fast(
    paced_edge: httpx.Client, linus: dict[str, dict[str, str]], body: Any
) -> None:
    began_s = time.monotonic()
    answer = post(paced_edge, linus["web"], body)
    assert_refused(answer, time.monotonic() - began_s)


@pytest.mark.parametrize(
    "value", ["p1\u0000", "\u0000" * 4_000, "../users/u1", "p1?x=1#y", "\U0001f600" * 1_000, "\u202ep1", " "]
)
def test_an_id_full_of_tricks_names_no_product(
    paced_edge: httpx.Client, linus: dict[str, dict[str, str]], value: str
) -> None:
    """A66: it reaches no other path of the service, and is a plain answer without a product."""
    answer = post(paced_edge, linus["web"], {"query": BY_ID, "variables": {"id": value}})
    document = answer.json()
    assert answer.status_code == 200
    assert (document.get("data") or {}).get("product") is None
    codes = {error["extensions"]["code"] for error in document.get("errors", [])}
    assert codes <= {"NOT_FOUND", "BAD_USER_INPUT", "INVALID_INPUT"}


def test_the_operation_that_is_named_is_the_one_that_runs(
    paced_edge: httpx.Client, linus: dict[str, dict[str, str]]
) -> None:
    """A67: not the first, not the last."""
    query = "query A { me { id } } query B { me { username } } query C { me { name } }"
    answer = post(paced_edge, linus["web"], {"query": query, "operationName": "B"})
    assert answer.json() == {"data": {"me": {"username": "linus"}}}
