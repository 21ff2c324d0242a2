"""Which route a request takes: host, then path, then method; the most specific wins."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trivium_common.errors import MethodNotAllowed
from trivium_edge.routing.pattern import PathPattern, parse_pattern
from trivium_edge.routing.table import RouteTable, SameRequests


@dataclass(frozen=True)
class Entry:
    id: str
    pattern: PathPattern
    hosts: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset()


def entry(id: str, uri: str, *methods: str, hosts: tuple[str, ...] = ()) -> Entry:
    return Entry(id, parse_pattern(uri), hosts, frozenset(methods))


def find(routes: list[Entry], method: str, host: str, path: str) -> str | None:
    found = RouteTable(routes).match(method, host, path)
    return None if found is None else found.id


PATHS = [
    entry("all", "/*"),
    entry("api", "/api/*"),
    entry("web", "/api/web/*"),
    entry("users", "/api/web/users"),
    entry("user", "/api/web/users/{id}"),
    entry("me", "/api/web/users/me"),
    entry("orders", "/api/web/users/{id}/orders/*"),
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "all"),
        ("/other", "all"),
        ("/api", "all"),
        ("/api/", "api"),
        ("/api/web", "api"),
        ("/api/web/", "web"),
        ("/api/webx", "api"),
        ("/api/web/x/y", "web"),
        ("/api/web/users", "users"),
        ("/api/web/users/", "web"),
        ("/api/web/users/me", "me"),
        ("/api/web/users/u1", "user"),
        ("/api/web/users/u1/orders", "web"),
        ("/api/web/users/u1/orders/", "orders"),
        ("/api/web/users/me/orders/o1/lines", "orders"),
        ("/api/web/users/u1/friends", "web"),
    ],
)
def test_the_most_specific_path_wins(path: str, expected: str) -> None:
    assert find(PATHS, "GET", "any", path) == expected
    assert find(PATHS[::-1], "GET", "any", path) == expected


def test_nothing_matches_beside_the_routes() -> None:
    assert find([entry("web", "/api/web/*")], "GET", "h", "/api/iot/x") is None
    assert find([entry("exact", "/x")], "GET", "h", "/x/") is None


def test_a_host_goes_before_a_path() -> None:
    routes = [
        entry("deep", "/api/web/users"),
        entry("host", "/*", hosts=("api.example.com",)),
        entry("domain", "/*", hosts=("*.example.com",)),
        entry("subdomain", "/*", hosts=("*.eu.example.com",)),
    ]

    assert find(routes, "GET", "api.example.com", "/api/web/users") == "host"
    assert find(routes, "GET", "shop.example.com", "/api/web/users") == "domain"
    assert find(routes, "GET", "a.b.eu.example.com", "/") == "subdomain"
    assert find(routes, "GET", "example.com", "/api/web/users") == "deep"
    assert find(routes, "GET", "evil-example.com", "/") is None


def test_a_host_without_the_path_yields_to_the_next_host() -> None:
    routes = [entry("host", "/only", hosts=("api.example.com",)), entry("any", "/*")]

    assert find(routes, "GET", "api.example.com", "/else") == "any"


def test_a_listed_method_goes_before_all_methods() -> None:
    routes = [entry("any", "/x"), entry("post", "/x", "POST")]

    assert find(routes, "POST", "h", "/x") == "post"
    assert find(routes, "GET", "h", "/x") == "any"


def test_a_route_for_get_takes_head() -> None:
    assert find([entry("get", "/x", "GET")], "HEAD", "h", "/x") == "get"


def test_a_better_path_without_the_method_yields_to_the_next_best() -> None:
    routes = [entry("get", "/api/x", "GET"), entry("all", "/api/*", "POST")]

    assert find(routes, "POST", "h", "/api/x") == "all"


def test_405_names_every_method_that_would_do() -> None:
    routes = [entry("get", "/api/x", "GET"), entry("post", "/api/*", "POST")]

    with pytest.raises(MethodNotAllowed) as refused:
        find(routes, "DELETE", "h", "/api/x")

    assert refused.value.extensions["allow"] == "GET, HEAD, POST"


def test_two_routes_for_the_same_requests_are_refused() -> None:
    with pytest.raises(SameRequests) as refused:
        RouteTable([entry("a", "/x"), entry("b", "/u/{id}", "GET"), entry("c", "/u/{name}", "GET", "POST")])

    assert (refused.value.index, refused.value.other_index) == (2, 1)


segment = st.sampled_from(["a", "b", "c", "{x}"])
uri = st.builds(
    lambda parts, is_prefix: (
        "/"
        + "/".join([*(p.replace("x", f"x{i}") for i, p in enumerate(parts)), *(["*"] if is_prefix else [])])
    ),
    st.lists(segment, max_size=4),
    st.booleans(),
)


def slow_find(routes: list[Entry], path: str) -> str | None:
    """The rule as it is documented: among all that match, compare segment by segment."""
    segments = path.split("/")[1:]

    def rank(route: Entry) -> tuple[int, ...] | None:
        pattern = route.pattern
        if len(segments) < len(pattern.segments) + pattern.is_prefix or (
            not pattern.is_prefix and len(segments) != len(pattern.segments)
        ):
            return None
        ranks = []
        for wanted, found in zip(pattern.segments, segments, strict=False):
            if wanted != found and not (wanted == "{}" and found):
                return None
            ranks.append(0 if wanted == found else 1)
        # Where a prefix ends, anything more specific in that place is better.
        return (*ranks, 2) if pattern.is_prefix else tuple(ranks)

    ranked = [(found, route.id) for route in routes if (found := rank(route)) is not None]
    return min(ranked)[1] if ranked else None


@given(
    st.lists(uri, min_size=1, max_size=8, unique=True), st.lists(st.sampled_from(["a", "b", "d"]), max_size=5)
)
@settings(max_examples=300, deadline=None)
def test_the_tree_finds_what_comparing_all_routes_finds(uris: list[str], parts: list[str]) -> None:
    routes = [entry(one, one) for one in uris]
    path = "/" + "/".join(parts)
    try:
        table = RouteTable(routes)
    except SameRequests:
        return

    found = table.match("GET", "h", path)

    assert (found.id if found else None) == slow_find(routes, path)
