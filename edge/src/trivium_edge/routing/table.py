"""The table that finds a request's route: by host, then path, then method; most specific first.

Host: exact, then the longest `*.domain`, then any. Path, segment by segment: a literal, then a field,
then a prefix (`/*`); so the longest prefix wins. Method: a route that lists it, then one that takes all.
When the best path does not take the method the next best is tried; 405 only when none does.
"""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from trivium_common.errors import MethodNotAllowed
from trivium_edge.routing.pattern import FIELD, PathPattern


class Routable(Protocol):
    """What the table needs to know of a route."""

    @property
    def pattern(self) -> PathPattern:
        """Its path."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Its hosts; empty: every host."""

    @property
    def methods(self) -> frozenset[str]:
        """Its methods; empty: all."""


R = TypeVar("R", bound=Routable)


class _Ending(Generic[R]):
    """The routes whose pattern ends at one place of the tree."""

    __slots__ = ("any_method", "by_method")

    def __init__(self) -> None:
        self.by_method: dict[str, R] = {}
        self.any_method: R | None = None

    def add(self, route: R) -> R | None:
        """Add `route`; the one that already answers the same requests, if there is one."""
        if not route.methods:
            if self.any_method is not None:
                return self.any_method
            self.any_method = route
            return None
        for method in route.methods:
            if method in self.by_method:
                return self.by_method[method]
            self.by_method[method] = route
        return None

    def pick(self, method: str) -> R | None:
        """The route for `method`; a route for GET also takes HEAD (RFC 9110 §9.3.2)."""
        found = self.by_method.get(method)
        if found is None and method == "HEAD":
            found = self.by_method.get("GET")
        return found if found is not None else self.any_method


class _Branch(Generic[R]):
    __slots__ = ("exact", "field", "literals", "prefix")

    def __init__(self) -> None:
        self.literals: dict[str, _Branch[R]] = {}
        self.field: _Branch[R] | None = None
        self.exact: _Ending[R] | None = None
        self.prefix: _Ending[R] | None = None

    def add(self, route: R) -> R | None:
        branch = self
        for segment in route.pattern.segments:
            if segment == FIELD:
                branch.field = branch.field or _Branch()
                branch = branch.field
            else:
                branch = branch.literals.setdefault(segment, _Branch())
        if route.pattern.is_prefix:
            branch.prefix = branch.prefix or _Ending()
            return branch.prefix.add(route)
        branch.exact = branch.exact or _Ending()
        return branch.exact.add(route)

    def find(self, method: str, segments: list[str], index: int, refused: list[_Ending[R]]) -> R | None:
        """The most specific route below here; endings that lack the method are added to `refused`."""
        if index == len(segments):
            return _pick(self.exact, method, refused)
        segment = segments[index]
        below = self.literals.get(segment)
        if below is not None and (found := below.find(method, segments, index + 1, refused)) is not None:
            return found
        if self.field is not None and segment:
            found = self.field.find(method, segments, index + 1, refused)
            if found is not None:
                return found
        return _pick(self.prefix, method, refused)


def _pick(ending: _Ending[R] | None, method: str, refused: list[_Ending[R]]) -> R | None:
    if ending is None:
        return None
    found = ending.pick(method)
    if found is None:
        refused.append(ending)
    return found


class RouteTable(Generic[R]):
    """All routes of one generation; never changed after it was built."""

    __slots__ = ("_any_host", "_exact_hosts", "_suffixes", "generation", "routes")

    def __init__(self, routes: Iterable[R], generation: int = 0) -> None:
        """Raises: SameRequests, when two routes would answer the same requests."""
        self.generation = generation
        self.routes = tuple(routes)
        self._exact_hosts: dict[str, _Branch[R]] = {}
        self._suffixes: dict[str, _Branch[R]] = {}
        self._any_host: _Branch[R] = _Branch()
        for route in self.routes:
            for branch in self._branches_of(route):
                if (other := branch.add(route)) is not None:
                    raise SameRequests(self.routes.index(route), self.routes.index(other))

    def match(self, method: str, host: str, path: str) -> R | None:
        """The route of a request, None when no path matches.

        Raises: MethodNotAllowed, with the methods that would do in the extension `allow`.
        """
        segments = path.split("/")
        refused: list[_Ending[R]] = []
        # The path begins with /, so the first segment is empty: start behind it.
        if self._exact_hosts and (branch := self._exact_hosts.get(host)) is not None:
            found = branch.find(method, segments, 1, refused)
            if found is not None:
                return found
        if self._suffixes and (found := self._find_by_suffix(method, host, segments, refused)) is not None:
            return found
        found = self._any_host.find(method, segments, 1, refused)
        if found is None and refused:
            raise _method_not_allowed(method, refused)
        return found

    def _find_by_suffix(
        self, method: str, host: str, segments: list[str], refused: list[_Ending[R]]
    ) -> R | None:
        start = host.find(".")
        while start >= 0:
            branch = self._suffixes.get(host[start:])
            if branch is not None and (found := branch.find(method, segments, 1, refused)) is not None:
                return found
            start = host.find(".", start + 1)
        return None

    def _branches_of(self, route: R) -> list[_Branch[R]]:
        if not route.hosts:
            return [self._any_host]
        branches: list[_Branch[R]] = []
        for host in route.hosts:
            by_host = self._suffixes if host.startswith("*.") else self._exact_hosts
            branches.append(by_host.setdefault(host.removeprefix("*"), _Branch()))
        return branches


class SameRequests(Exception):
    """Two routes answer the same requests, so one would never be reached; their places in what was given."""

    def __init__(self, index: int, other_index: int) -> None:
        super().__init__("two routes answer the same requests")
        self.index = index
        self.other_index = other_index


def _method_not_allowed(method: str, refused: Iterable[_Ending[R]]) -> MethodNotAllowed:
    allowed = {name for ending in refused for name in ending.by_method}
    if "GET" in allowed:
        allowed.add("HEAD")
    return MethodNotAllowed(f"{method} is not allowed here", extensions={"allow": ", ".join(sorted(allowed))})
