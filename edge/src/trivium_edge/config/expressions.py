"""Regular expressions of the configuration: sound, bounded in time, with replacements that exist."""

import re
import warnings
from collections.abc import Iterator, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

_GROUP = re.compile(r"\$([0-9]+)")
_MAX_LENGTH = 500
_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT})


def find_rewrite_problems(pairs: Sequence[str]) -> Iterator[tuple[int, str]]:
    """What is wrong with pattern-replacement pairs, as (index of the entry, message)."""
    for index in range(0, len(pairs) - 1, 2):
        pattern, replacement = pairs[index], pairs[index + 1]
        try:
            groups = compile_safe(pattern).groups
        except ValueError as error:
            yield index, str(error)
            continue
        for match in _GROUP.finditer(replacement):
            if int(match[1]) > groups:
                yield index + 1, f"found {match[0]}, and the pattern has {groups} groups"
        if not replacement.startswith(("/", "$")) or replacement.startswith("//"):
            yield index + 1, "expected a path that begins with one /: a rewrite never changes the host"


def compile_safe(pattern: str) -> re.Pattern[str]:
    """`pattern` compiled.

    Raises: ValueError, when it is no expression or could take more than polynomial time.
    """
    if len(pattern) > _MAX_LENGTH:
        raise ValueError(f"longer than {_MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            compiled = re.compile(pattern)
            parsed = sre_parser.parse(pattern)
    except (re.error, FutureWarning, DeprecationWarning, OverflowError, RecursionError) as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    if _runs_away(parsed, inside_repeat=False):
        raise ValueError(
            "a repeat inside of a repeat, such as (a+)+, can take forever on hostile input; write it without nesting"
        )
    return compiled


def _runs_away(parsed: Any, *, inside_repeat: bool) -> bool:
    """Whether an unbounded repeat stands inside of another one (the source of exponential backtracking).

    Stricter than need be: some nested repeats are harmless, and all of them can be written without nesting.
    """
    for operator, argument in parsed:
        if operator in _REPEATS:
            lowest, highest, body = argument
            is_open = highest is sre.MAXREPEAT or highest - lowest > 10
            if is_open and inside_repeat:
                return True
            if _runs_away(body, inside_repeat=inside_repeat or is_open):
                return True
        elif any(_runs_away(body, inside_repeat=inside_repeat) for body in _bodies(operator, argument)):
            return True
    return False


def _bodies(operator: Any, argument: Any) -> list[Any]:
    if operator is sre.SUBPATTERN:
        return [argument[-1]]
    if operator is sre.BRANCH:
        return list(argument[1])
    if operator in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    if operator is sre.GROUPREF_EXISTS:
        return [body for body in argument[1:] if body is not None]
    return []
