"""Composition as a whole: supergraphs that the engine loads and plans over, messages that teach, the command."""

import argparse
import json
from pathlib import Path

import pytest
from composer_oracle.compare import find_difference
from composer_oracle.reference import Reference
from federation_fuzz.made import make_composed

from trivium_federation.compose import SubgraphSchema, compose
from trivium_federation.compose.command import add_arguments, run, watch
from trivium_federation.engine import Engine
from trivium_federation.transport import NoTransport

LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",'
    ' import: ["@key", "@shareable", "@override", "@requires", "@external"])\n'
)
USERS = SubgraphSchema(
    "users",
    "http://users/",
    LINK + 'type Query { me: User }\ntype User @key(fields: "id") { id: ID! name: String }',
)
REVIEWS = SubgraphSchema(
    "reviews", "http://reviews/", LINK + 'type User @key(fields: "id") { id: ID! reviews: [String!]! }'
)


@pytest.mark.parametrize("seed", range(12))
def test_made_subgraph_sets_compose_into_the_known_supergraph(seed: int) -> None:
    """The fuzzer prints subgraphs and supergraph from one model: our composition must find the same tables."""
    made = make_composed(seed)
    composition = compose(
        [SubgraphSchema(g, f"http://{g}.invalid/", made.subgraph_sdl(g)) for g in made.graphs]
    )
    assert composition.is_composed, "\n".join(map(str, composition.errors))
    assert not find_difference(composition, Reference((), made.supergraph_sdl()))


def test_the_supergraph_is_planned_over_by_the_engine() -> None:
    """What is printed is what the engine reads."""
    composition = compose([USERS, REVIEWS])
    assert composition.supergraph_sdl is not None
    plan = (
        Engine.from_sdl(composition.supergraph_sdl, NoTransport()).plan("{ me { name reviews } }").to_text()
    )
    assert "users" in plan
    assert "reviews" in plan


def test_equal_sets_compose_into_equal_texts_in_any_order() -> None:
    """Order of subgraphs does not matter, so a supergraph under version control changes only when the graph does."""
    assert compose([USERS, REVIEWS]) == compose([REVIEWS, USERS])


def test_an_unreachable_field_is_told_with_an_operation_and_the_reasons() -> None:
    """The message holds a query that one can send, and why each way ends."""
    b = SubgraphSchema("b", "http://b/", LINK + 'type User @key(fields: "email") { email: ID! age: Int }')
    errors = compose([USERS, b]).errors
    assert [e.code for e in errors] == ["SATISFIABILITY_ERROR", "SATISFIABILITY_ERROR"]
    message = str(errors[1])
    assert "me {\n        age\n      }" in message
    assert "users, from where we come, does not have User.age" in message
    assert "b has it, but its @key 'email' cannot be reached from here" in message
    assert message.startswith("b:2:46: ")


def test_a_label_is_checked_switched_on_and_off() -> None:
    """With a label, both subgraphs must be reachable from everywhere: here the new one is not."""
    taking = SubgraphSchema(
        "b",
        "http://b/",
        LINK + 'type User @key(fields: "id", resolvable: false)'
        ' { id: ID! name: String @override(from: "users", label: "percent(5)") }',
    )
    errors = compose([USERS, taking]).errors
    assert [e.code for e in errors] == ["SATISFIABILITY_ERROR"]
    assert "no @key of User is resolvable there" in errors[0].message


def test_an_optional_source_that_feeds_a_non_null_field_is_a_hint() -> None:
    """An outage of reviews would null the user: better known before it happens."""
    composition = compose([USERS, REVIEWS], optional=frozenset({"reviews"}))
    assert [str(h.code) for h in composition.hints] == ["OPTIONAL_SOURCE_FEEDS_NON_NULL"]
    assert "an outage of reviews would null User" in composition.hints[0].message
    assert not compose([USERS, REVIEWS]).hints


def test_an_edit_is_composed_like_a_first_composition() -> None:
    """What is remembered of the last time never shows."""
    edited = SubgraphSchema(REVIEWS.name, REVIEWS.url, REVIEWS.sdl.replace("reviews:", "posts:"))
    compose([USERS, REVIEWS])
    after = compose([USERS, edited]).supergraph_sdl
    assert after is not None
    assert "posts: [String!]!" in after
    assert "reviews: [String!]!" not in after


def test_the_command_writes_the_supergraph_or_tells_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit codes 0, 1, 2; files are named in messages; a refused set leaves the last supergraph alone."""
    schema, listing, output = (
        tmp_path / "users.graphql",
        tmp_path / "subgraphs.json",
        tmp_path / "super.graphql",
    )
    schema.write_text(USERS.sdl)
    listing.write_text(json.dumps([{"name": "users", "url": "http://users/", "file": "users.graphql"}]))
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args([str(listing), "--output", str(output)])
    assert run(arguments) == 0
    composed = output.read_text()
    schema.write_text(USERS.sdl.replace("me: User", "me: Usr"))
    assert run(arguments) == 1
    assert f"{schema}:2:18: INVALID_GRAPHQL: Unknown type 'Usr'" in capsys.readouterr().err
    assert output.read_text() == composed
    listing.write_text('[{"name": "users"}]')
    assert run(arguments) == 2


def test_watching_composes_again_after_each_change(tmp_path: Path) -> None:
    """Once at the start, once per change, and not otherwise."""
    file = tmp_path / "a.graphql"
    file.write_text("1")
    acts: list[str] = []
    turns = iter(("", "22", "", "333"))

    def sleep(_: float) -> None:
        text = next(turns, None)
        if text is None:
            raise KeyboardInterrupt
        if text:
            file.write_text(text)

    with pytest.raises(KeyboardInterrupt):
        watch(lambda: acts.append(file.read_text()), lambda: [file], sleep)
    assert acts == ["1", "22", "333"]
