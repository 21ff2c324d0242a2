"""Ids as the demo writes them: a letter and a row's number, `u1`."""

import re
from collections.abc import Sequence

from trivium_demo.problems import invalid_input, not_found

MAX_BATCH_IDS = 200

# 18 digits at most: what SQLite's integers hold.
_ID = re.compile(r"([a-z])([1-9][0-9]{0,17})")


def number_of(letter: str, id: str) -> int | None:
    """The row's number, or None when `id` is not an id of this kind."""
    match = _ID.fullmatch(id)
    return int(match[2]) if match is not None and match[1] == letter else None


def require_number(letter: str, id: str) -> int:
    """The row's number.

    Raises: Problem (404) when `id` cannot be the id of anything.
    """
    number = number_of(letter, id)
    if number is None:
        raise not_found(id)
    return number


def batch_numbers(letter: str, ids: str) -> Sequence[int]:
    """The numbers in a comma-separated list, in order, each once; what is no id is left out like an unknown one.

    Raises: Problem (422) above 200 ids.
    """
    parts = ids.split(",")
    if len(parts) > MAX_BATCH_IDS:
        raise invalid_input(f"at most {MAX_BATCH_IDS} ids can be asked for at once, found {len(parts)}")
    numbers = (number_of(letter, part) for part in parts)
    return list(dict.fromkeys(number for number in numbers if number is not None))
