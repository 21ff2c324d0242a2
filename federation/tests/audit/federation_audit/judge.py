"""What counts as a right answer: the audit's own rules, and what is kept of a wrong one."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One query of a suite and the answer that it must get."""

    suite: str
    number: int
    query: str
    data: Any
    errors: bool | None  # None: errors are neither wanted nor refused

    @property
    def name(self) -> str:
        """Suite and number, as the audit's own reports name it."""
        return f"{self.suite} #{self.number}"


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that was answered wrongly, or not at all."""

    case: Case
    got: Any
    reason: str


def read_case(suite: str, number: int, raw: dict[str, Any]) -> Case:
    """A case as the server describes it."""
    expected = raw["expected"]
    errors = expected.get("errors")
    return Case(
        suite, number, raw["query"], expected.get("data"), errors if isinstance(errors, bool) else None
    )


def judge(case: Case, answer: Any) -> Failure | None:
    """Compare an answer with the wanted one: data deeply equal, value types strict, no further keys."""
    if not isinstance(answer, dict):
        return Failure(case, answer, "not an object")
    if not _equal(case.data, answer.get("data")):
        return Failure(case, answer, "other data")
    if case.errors is not None and case.errors is not bool(answer.get("errors")):
        return Failure(case, answer, "errors wanted" if case.errors else "no errors wanted")
    return None


def _equal(left: Any, right: Any) -> bool:
    # bool is an int in Python and 1 == 1.0; in JSON true is not 1, while 1 and 1.0 are one number.
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_equal(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_equal, left, right))
    return bool(left == right)
