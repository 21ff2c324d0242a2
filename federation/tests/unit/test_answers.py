"""What the client gets when subgraphs answer well, badly or not at all."""

import orjson
import pytest

from trivium_federation.options import EngineOptions, Limits
from trivium_federation.transport import TransportError

BOOKS = "{ books { title copies } }"
TWO_BOOKS = {"data": {"books": [{"isbn": "1", "title": "Ada"}, {"isbn": "2", "title": None}]}}


async def answer_of(engine, query, variables=None):
    return orjson.loads((await engine.execute(query, variables)).body)


async def test_entities_are_asked_for_once_and_placed_everywhere(make_engine):
    """Two objects with the same key are one representation."""
    same = {"data": {"books": [{"isbn": "1", "title": "Ada"}, {"isbn": "1", "title": "Ada"}]}}
    engine, transport = make_engine({"catalog": [same], "loans": [{"data": {"_entities": [{"copies": 3}]}}]})

    answer = await answer_of(engine, BOOKS)

    assert answer == {"data": {"books": [{"title": "Ada", "copies": 3}] * 2}}
    assert transport.asked[1][2] == {"r": [{"__typename": "Book", "isbn": "1"}]}


async def test_required_fields_travel_with_the_key_and_stay_hidden(make_engine):
    """@requires: pages go to the subgraph that needs them and not to the client."""
    engine, transport = make_engine(
        {
            "catalog": [{"data": {"book": {"isbn": "1", "pages": 90}}}],
            "loans": [{"data": {"_entities": [{"daysToRead": 3}]}}],
        }
    )

    answer = await answer_of(engine, '{ book(isbn: "1") { daysToRead } }')

    assert answer == {"data": {"book": {"daysToRead": 3}}}
    assert transport.asked[1][2] == {"r": [{"__typename": "Book", "isbn": "1", "pages": 90}]}


async def test_null_in_a_non_null_field_rises_to_the_nearest_nullable_place(make_engine):
    """A missing entity costs the list that may not hold nulls, and says why."""
    engine, _ = make_engine(
        {"catalog": [TWO_BOOKS], "loans": [{"data": {"_entities": [{"copies": 3}, None]}}]}
    )

    answer = await answer_of(engine, BOOKS)

    assert answer["data"] == {"books": None}
    assert answer["errors"][0]["path"] == ["books", 1, "copies"]
    assert answer["errors"][0]["extensions"]["code"] == "NULL_IN_NON_NULL"


async def test_subgraph_errors_keep_their_code_and_get_the_clients_path(make_engine):
    """The path leads through the client's aliases to the object whose entity failed."""
    failing = {
        "data": {"_entities": [{"days": None}]},
        "errors": [
            {"message": "no clock", "path": ["_entities", 0, "days"], "extensions": {"code": "CLOCK"}}
        ],
    }
    engine, _ = make_engine({"catalog": [{"data": {"all": [{"isbn": "1", "pages": 9}]}}], "loans": [failing]})

    answer = await answer_of(engine, "{ all: books { days: daysToRead } }")

    assert answer["data"] == {"all": [{"days": None}]}
    assert answer["errors"] == [
        {
            "message": "no clock",
            "path": ["all", 0, "days"],
            "extensions": {"code": "CLOCK", "service": "loans"},
        }
    ]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"<html>", "SUBGRAPH_ANSWER_INVALID"),
        ([], "SUBGRAPH_ANSWER_INVALID"),
        ({"data": {"_entities": [{"daysToRead": 1}] * 7}}, "SUBGRAPH_ANSWER_INVALID"),
        ({"data": {"_entities": [{"daysToRead": "soon"}]}}, "INVALID_SUBGRAPH_VALUE"),
        ({"data": {"_entities": [{"daysToRead": 1}], "x": "y" * 5000}}, "SUBGRAPH_ANSWER_TOO_LARGE"),
        (TransportError("cannot be reached"), "SUBGRAPH_UNAVAILABLE"),
    ],
)
async def test_a_bad_answer_costs_only_the_fields_it_was_to_fill(make_engine, bad, code):
    """What is not JSON, has the wrong type, length or size, or does not come, is contained."""
    engine, _ = make_engine(
        {"catalog": [{"data": {"book": {"isbn": "1", "title": "Ada", "pages": 9}}}], "loans": [bad]},
        limits=Limits(max_subgraph_answer_bytes=4000),
    )

    answer = await answer_of(engine, '{ book(isbn: "1") { title daysToRead } }')

    assert answer["data"] == {"book": {"title": "Ada", "daysToRead": None}}
    assert [e["extensions"]["code"] for e in answer["errors"]] == [code]


async def test_an_enum_value_that_clients_may_not_see_is_null(make_engine):
    """@inaccessible values stay inside."""
    engine, _ = make_engine({"catalog": [{"data": {"books": [{"shelf": "BACK"}, {"shelf": "FRONT"}]}}]})

    assert await answer_of(engine, "{ books { shelf } }") == {
        "data": {"books": [{"shelf": None}, {"shelf": "FRONT"}]}
    }


async def test_what_is_skipped_is_not_asked_for(make_engine):
    """A document has one plan for each set of condition values; with everything skipped, data is an empty object."""
    engine, transport = make_engine({"catalog": [{"data": {"books": [{"isbn": "1"}]}}], "loans": []})
    query = "query ($more: Boolean!) { books @include(if: $more) { isbn copies @skip(if: $more) } }"

    assert await answer_of(engine, query, {"more": False}) == {"data": {}}
    assert await answer_of(engine, query, {"more": True}) == {"data": {"books": [{"isbn": "1"}]}}
    assert [name for name, _, _ in transport.asked] == ["catalog"]


async def test_mutations_run_in_order_with_what_hangs_on_them(make_engine):
    """The look-ups of one mutation come before the next mutation."""
    engine, transport = make_engine(
        {
            "loans": [{"data": {"lend": {"isbn": "1"}}}, {"data": {"again": {"copies": 1}}}],
            "catalog": [{"data": {"_entities": [{"title": "Ada"}]}}],
        }
    )

    answer = await answer_of(
        engine, 'mutation { lend(isbn: "1") { title } again: lend(isbn: "1") { copies } }'
    )

    assert answer == {"data": {"lend": {"title": "Ada"}, "again": {"copies": 1}}}
    assert [name for name, _, _ in transport.asked] == ["loans", "catalog", "loans"]


async def test_aliases_keep_the_clients_order_and_arguments_apart(make_engine):
    """The same field with other arguments lies under another key."""
    engine, transport = make_engine(
        {"catalog": [{"data": {"two": {"title": "B"}, "one": {"title": "A", "name": "A"}}}]}
    )

    answer = await engine.execute(
        'query ($i: ID!) { two: book(isbn: $i) { title } one: book(isbn: "1") { title name: title __typename } }',
        {"i": 2},
    )

    assert answer.body == b'{"data":{"two":{"title":"B"},"one":{"title":"A","name":"A","__typename":"Book"}}}'
    assert transport.asked[0][2] == {"i": "2"}


async def test_introspection_is_answered_without_a_subgraph(make_engine):
    """And shows the client's schema, beside fields that do need a subgraph."""
    engine, _ = make_engine({"catalog": [{"data": {"books": []}}]})

    answer = await answer_of(
        engine, '{ __type(name: "Shelf") { enumValues { name } } books { title } __typename }'
    )

    assert answer == {
        "data": {"__type": {"enumValues": [{"name": "FRONT"}]}, "books": [], "__typename": "Query"}
    }


async def test_options_can_switch_introspection_off(make_engine):
    """For production."""
    engine, _ = make_engine(allow_introspection=False)

    answer = await answer_of(engine, "{ __schema { types { name } } }")

    assert answer["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED"
    assert EngineOptions().allow_introspection
