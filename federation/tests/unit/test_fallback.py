"""Compiled runs that meet something unexpected end as the interpreter would have."""

import orjson

from trivium_federation.engine import Engine
from trivium_federation.options import EngineOptions


async def test_a_late_surprise_replays_what_came_before(library_sdl, make_engine):
    """The first answer was taken by compiled code, the second is not what it is made for."""
    script = {
        "catalog": [{"data": {"books": [{"isbn": "1", "title": "Ada"}, {"isbn": "2", "title": "Bob"}]}}],
        "loans": [{"data": {"_entities": [{"copies": 1}, {"copies": 2}]}, "errors": [{"message": "half"}]}],
    }
    engine, _ = make_engine(script)

    answer = await engine.execute("{ books { title copies } }")

    assert not answer.stats.compiled
    assert answer.stats.subgraph_requests == 2
    assert orjson.loads(answer.body) == {
        "data": {"books": [{"title": "Ada", "copies": 1}, {"title": "Bob", "copies": 2}]},
        "errors": [
            {"message": "half", "extensions": {"code": "DOWNSTREAM_SERVICE_ERROR", "service": "loans"}}
        ],
    }


def test_a_plan_says_why_it_is_interpreted(library_sdl):
    """Printed with the plan, so that a slow operation explains itself."""
    engine = Engine.from_sdl(library_sdl, None, options=EngineOptions(interpret_only=True))

    assert "interpreted: compiled plans are switched off" in engine.plan("{ books { title } }").to_text()
