"""Errors of the engine. Two branches: the client's request is wrong (its message may be shown), or the supergraph is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class FederationError(Exception):
    """Root of every error that the engine raises on purpose."""


class SupergraphError(FederationError):
    """The supergraph text cannot be used. `line` and `column` start at 1; 0 means that no place is known."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        self.line, self.column = line, column
        super().__init__(f"{line}:{column}: {message}" if line else message)


class RequestError(FederationError):
    """The operation is refused before any subgraph is called. `errors` are ready GraphQL errors for the client."""

    def __init__(self, errors: Sequence[Mapping[str, object]], *, has_null_data: bool = False) -> None:
        self.errors = tuple(errors)
        self.has_null_data = has_null_data
        super().__init__(str(self.errors[0]["message"]) if self.errors else "refused")

    @classmethod
    def of(cls, code: str, message: str, *, has_null_data: bool = False) -> RequestError:
        """One refusal with a stable `extensions.code`."""
        return cls([{"message": message, "extensions": {"code": code}}], has_null_data=has_null_data)


class PlanningError(FederationError):
    """No chain of subgraph calls reaches a part of the operation, or the search met its bound."""

    def __init__(self, message: str, *, code: str = "PLANNING_FAILED") -> None:
        self.code = code
        super().__init__(message)
