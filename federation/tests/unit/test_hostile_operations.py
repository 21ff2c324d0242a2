"""Operations made to cost much are refused, and cost little."""

import random

import pytest
from graphql import OverlappingFieldsCanBeMergedRule, build_schema, parse, specified_rules, validate

from trivium_federation.engine import Engine
from trivium_federation.errors import RequestError
from trivium_federation.operation.overlap import check_overlaps
from trivium_federation.transport import NoTransport


def fragment_bomb(depth: int) -> str:
    text = "{ books { ...f0 } }"
    for level in range(depth):
        text += f" fragment f{level} on Book {{ ...f{level + 1} ...f{level + 1} }}"
    return text + f" fragment f{depth} on Book {{ isbn }}"


HOSTILE = {
    "aliases": "{ books {" + " ".join(f"a{n}: isbn" for n in range(900)) + "} }",
    "root fields": "{" + " ".join(f"a{n}: latest {{ isbn }}" for n in range(150)) + "}",
    "directives": "{ books {" + "isbn @skip(if: false) " * 300 + "} }",
    "tokens": "{ books {" + "isbn " * 20_000 + "} }",
    "bytes": '{ book(isbn: "' + "x" * 100_000 + '") { isbn } }',
    "nested fragments": fragment_bomb(60),
    "circular fragments": "{ books { ...a } } fragment a on Book { ...b } fragment b on Book { ...a }",
    "inline nesting": "{ books {" + "... on Book {" * 200 + "isbn" + "}" * 200 + "} }",
    "deep parsing": "{ a" + "{ a" * 1900 + "}" * 1900 + "}",
    "unknown fields": "{ books {" + " ".join(f"x{n}" for n in range(900)) + "} }",
    "introspection": "{ __schema { types {" + "fields { type {" * 9 + "name" + "} }" * 9 + "} } }",
    "several operations": "query a { latest { isbn } } query b { latest { isbn } }",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_operation_is_refused_before_any_request(library_sdl, name):
    """Each with 400 and a code."""
    answer = await Engine.from_sdl(library_sdl, NoTransport()).execute(HOSTILE[name])

    assert answer.status == 400
    assert b'"code"' in answer.body
    assert answer.stats.subgraph_requests == 0


@pytest.mark.parametrize(
    "variables",
    [
        b"[" * 100_000,
        b"{",
        b"7",
        b'{"isbn":null}',
        b'{"isbn":{}}',
        b"{}",
        b'{"isbn":' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
async def test_hostile_variables_are_refused(library_sdl, variables):
    """However deep, whatever their type."""
    engine = Engine.from_sdl(library_sdl, NoTransport())

    assert (
        await engine.execute("query ($isbn: ID!) { book(isbn: $isbn) { isbn } }", variables)
    ).status == 400


SCHEMA = build_schema(
    """
    interface I { a: Int b(x: Int): String c: I l: [I!] }
    type T implements I { a: Int b(x: Int): String c: I l: [I!] t: Int n: Int! }
    type U implements I { a: Int b(x: Int): String c: U l: [I!] t: String n: Int }
    union W = T | U
    type Query { i: I w: W t: T }
    """
)
FIELDS = {"I": "a b b(x:1) c l", "T": "a b b(x:1) c l t n", "U": "a b b(x:1) c l t n", "W": "__typename"}


def random_selection(rng: random.Random, type_name: str, depth: int) -> str:
    parts = []
    for _ in range(rng.randint(1, 3)):
        alias = rng.choice(["", "x:", "y:"])
        if type_name == "Query":
            field = rng.choice("iwt")
            parts.append(f"{alias}{field}{{{random_selection(rng, field.upper(), depth - 1)}}}")
        elif rng.random() < 0.3:
            other = rng.choice("ITUW")
            parts.append(f"...on {other}{{{random_selection(rng, other, depth)}}}")
        else:
            field = rng.choice([f for f in FIELDS[type_name].split() if depth > 0 or f not in ("c", "l")])
            child = "U" if (type_name, field) == ("U", "c") else "I"
            below = f"{{{random_selection(rng, child, depth - 1)}}}" if field in ("c", "l") else ""
            parts.append(f"{alias}{field}{below}")
    return " ".join(parts)


def test_the_overlap_rule_agrees_with_graphql_core():
    """The linear rule and the pairwise one give the same verdict on random operations."""
    others = [r for r in specified_rules if r is not OverlappingFieldsCanBeMergedRule]
    checked = 0
    for seed in range(1500):
        document = parse("{" + random_selection(random.Random(seed), "Query", 3) + "}")
        if validate(SCHEMA, document, others):
            continue
        checked += 1
        is_wrong = bool(validate(SCHEMA, document, [OverlappingFieldsCanBeMergedRule]))
        if is_wrong:
            with pytest.raises(RequestError):
                check_overlaps(SCHEMA, document.definitions[0], {})
        else:
            check_overlaps(SCHEMA, document.definitions[0], {})
    assert checked > 500
