"""Plans as people see them."""

import pytest

from trivium_federation.engine import Engine
from trivium_federation.errors import PlanningError, RequestError

GOLDEN = """\
0 catalog
  because  root fields
  at       the root
  ask      {books{title isbn pages}}
1 loans, after 0
  because  key isbn
  because  daysToRead requires pages
  at       books
  with     Book isbn pages
  ask      query($r:[_Any!]!){_entities(representations:$r){...on Book{copies daysToRead}}}
"""


@pytest.fixture
def engine(library_sdl):
    return Engine.from_sdl(library_sdl, None)


def test_a_requirement_shares_the_look_up_of_its_subgraph(engine):
    """Two requests: the required field is fetched with the books, not in a third."""
    assert engine.plan("{ books { title copies daysToRead } }").to_text() == GOLDEN


def test_equal_documents_have_equal_plans(engine, library_sdl):
    """Planning is deterministic."""
    other = Engine.from_sdl(library_sdl, None)
    query = "{ books { copies author { name } } latest { title daysToRead } }"

    assert engine.plan(query).to_dict() == other.plan(query).to_dict()


def test_a_plan_is_a_mermaid_graph_too(engine):
    """Arrows mean: waits for."""
    text = engine.plan("{ books { copies } }").to_mermaid()

    assert text.startswith("flowchart TD\n")
    assert "r0 --> r1" in text


def test_a_new_supergraph_has_the_used_plans_before_it_is_swapped_in(engine, library_sdl):
    """Documents that are no longer valid are left out."""
    engine.plan("{ books { title } }")
    engine.plan("{ latest { copies } }")
    changed = library_sdl.replace("  latest: Book @join__field(graph: LOANS)\n", "")

    fresh = engine.with_supergraph(changed)

    assert fresh.plan("{ books { title } }").to_dict() == engine.plan("{ books { title } }").to_dict()
    with pytest.raises(RequestError):
        fresh.plan("{ latest { copies } }")


def test_a_field_that_no_subgraph_reaches_is_an_error(library_sdl):
    """Without a usable key there is no way from one subgraph to the other."""
    sdl = library_sdl.replace(
        '(graph: CATALOG, key: "isbn")', '(graph: CATALOG, key: "isbn", resolvable: false)'
    )

    with pytest.raises(PlanningError, match=r"no subgraph resolves Book\.title at latest"):
        Engine.from_sdl(sdl, None).plan("{ latest { title } }")
