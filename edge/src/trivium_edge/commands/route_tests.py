"""`trivium-edge test FILE`: requests and the routes they must take, with the share of routes that is covered.

tests:
  - {request: "GET /api/web/graphql", route: web, upstream_path: /graphql}
  - {request: "DELETE /api/web", status: 404}
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from trivium_common.errors import TriviumError
from trivium_edge.commands.output import (
    EXIT_FAILED,
    EXIT_REFUSED,
    complain,
    count,
    load_or_refuse,
    say,
    tell_faults,
)
from trivium_edge.config.global_models import Strict
from trivium_edge.config.interpolation import Interpolator
from trivium_edge.config.model_faults import find_model_faults
from trivium_edge.config.positions import ConfigInvalid, Fault, Node, Position
from trivium_edge.config.yaml_tree import read_tree
from trivium_edge.routing.describe import RouteFinder


class RouteTest(Strict):
    """One request and what must become of it. What is not given is not compared."""

    request: str = Field(pattern=r"^[A-Z]+ \S+$", description="Method and URL or path.")
    route: str | None = Field(default=None, description="Id of the route it must take.")
    upstream: str | None = Field(default=None, description="Upstream it must go to.")
    upstream_path: str | None = Field(default=None, description="Path the upstream must see.")
    client_kind: str | None = Field(default=None, description="Kind of client the route must serve.")
    status: int | None = Field(default=None, description="400, 404 or 405, when no route may take it.")

    @model_validator(mode="after")
    def _check_expectation(self) -> "RouteTest":
        if self.model_fields_set == {"request"}:
            raise ValueError("expects nothing; give a route or a status")
        return self


class RouteTests(Strict):
    """A file of tests."""

    tests: tuple[RouteTest, ...] = Field(min_length=1, description="The tests.")


def run_tests(config_path: str, tests_path: str, *, fail_under: float) -> int:
    """Print each test that fails with its place, and the coverage; 1 when one failed or too little is covered."""
    loaded = load_or_refuse(config_path)
    try:
        tests, tree = _read_tests(tests_path)
    except ConfigInvalid as invalid:
        tell_faults(tests_path, invalid.faults)
        return EXIT_REFUSED
    finder = RouteFinder(loaded)
    covered: set[str] = set()
    failures = 0
    for index, test in enumerate(tests.tests):
        found = _find(finder, test)
        covered.add(found.get("route", ""))
        for difference in _compare(test, found):
            failures += 1
            complain(f"{tree.nearest(['tests', index]).at}: {test.request}: {difference}")
    ids = [route.id for route in loaded.config.routes]
    missed = [name for name in ids if name not in covered]
    coverage = 100.0 * (len(ids) - len(missed)) / len(ids) if ids else 100.0
    say(
        f"{count(len(tests.tests), 'test')}, {failures} failed, {coverage:.0f} % of {count(len(ids), 'route')} covered"
    )
    if coverage < fail_under:
        complain(f"less than {fail_under:g} % covered; no test takes {', '.join(missed)}")
    return EXIT_FAILED if failures or coverage < fail_under else 0


def _read_tests(path: str) -> tuple[RouteTests, Node]:
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid([Fault(Position(path), "", f"cannot be read: {error}")]) from error
    tree, faults = read_tree(text, path, Interpolator(os.environ, Path(path).parent))
    if tree is None or faults:
        raise ConfigInvalid(faults)
    try:
        return RouteTests.model_validate(tree.plain()), tree
    except ValidationError as error:
        raise ConfigInvalid(list(find_model_faults(error, tree, RouteTests))) from None


def _find(finder: RouteFinder, test: RouteTest) -> dict[str, Any]:
    method, url = test.request.split(" ", 1)
    try:
        found = finder.find(method, url)
    except TriviumError as error:
        return {"status": error.status}
    route = found["route"]
    return {
        "route": route["id"],
        "upstream": route["upstream"],
        "upstream_path": found["upstream_path"],
        "client_kind": route["client_kind"],
    }


def _compare(test: RouteTest, found: dict[str, Any]) -> Iterator[str]:
    for name in ("status", "route", "upstream", "upstream_path", "client_kind"):
        if name in test.model_fields_set and getattr(test, name) != found.get(name):
            got = found.get(name) or (
                f"status {found['status']}" if "status" in found else f"route {found['route']}"
            )
            yield f"expected {name} {getattr(test, name)}, got {got}"
