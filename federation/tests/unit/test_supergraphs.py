"""What is not a supergraph, or needs what the engine does not know, is refused with its place."""

import pytest

from trivium_federation.engine import Engine
from trivium_federation.errors import SupergraphError


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type Author", "type Author {", r"24?\d:\d+: Syntax Error"),
        ("join/v0.3", "join/v0.9", r"3:3: the supergraph needs 'https://specs.apollo.dev/join/v0.9'"),
        (
            "@join__type(graph: CATALOG) {\n  name",
            "@join__type(graph: NOBODY) {\n  name",
            "join__Graph has no value NOBODY",
        ),
    ],
)
def test_a_fault_has_a_line_and_a_column(library_sdl, old, new, message):
    """So that it can be found in a generated file."""
    with pytest.raises(SupergraphError) as caught:
        Engine.from_sdl(library_sdl.replace(old, new, 1), None)

    assert caught.value.line > 0
    assert caught.match(message.split(": ", 1)[-1] if "Syntax" in message else message)


def test_a_plain_schema_is_not_a_supergraph():
    """The message says what is missing."""
    with pytest.raises(SupergraphError, match="not a supergraph"):
        Engine.from_sdl("type Query { a: Int }", None)


def test_a_federation_1_supergraph_is_understood():
    """Join v0.1: owners instead of rows, keys on each type."""
    sdl = """
    schema @core(feature: "https://specs.apollo.dev/core/v0.1") @core(feature: "https://specs.apollo.dev/join/v0.1")
    { query: Query }
    enum join__Graph { A @join__graph(name: "a" url: "http://a") B @join__graph(name: "b" url: "http://b") }
    type Item @join__owner(graph: A) @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID! @join__field(graph: A)
      name: String @join__field(graph: A)
      stock: Int @join__field(graph: B)
    }
    type Query { item: Item @join__field(graph: A) }
    """

    plan = Engine.from_sdl(sdl, None).plan("{ item { name stock } }").to_dict()

    assert [r["subgraph"] for r in plan["requests"]] == ["a", "b"]
