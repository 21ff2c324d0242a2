"""What a person is told about a value: what was found, what was expected, what was probably meant."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from trivium_edge.config.positions import Interpolated, Node

_MAX_SHOWN = 60
_USER_INFO = re.compile(r"//[^/@\s]*@")
_SECRET_SETTINGS = frozenset({"hash", "key", "secret", "password", "private_key"})


def describe_found(node: Node, setting: str = "") -> str:
    """What stands there, fit for a message: values of secrets and of `${...}` are not shown."""
    value = node.value
    if isinstance(value, Interpolated) or node.references:
        return f"a value from {', '.join(node.references)}"
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case dict():
            return "a mapping" if value else "an empty mapping"
        case list():
            return "a list" if value else "an empty list"
    if setting in _SECRET_SETTINGS:
        return "a text"
    value = _USER_INFO.sub("//…@", value)
    shown = value if len(value) <= _MAX_SHOWN else value[: _MAX_SHOWN - 1] + "…"
    return f"the text `{shown if shown.isprintable() else ascii(shown)[1:-1]}`"


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """`; did you mean X?` when something known is spelled much like it, else nothing."""
    by_lower = {name.lower().replace("_", "-"): name for name in known}
    lower = found.lower().replace("_", "-")
    close = get_close_matches(lower, by_lower, n=1, cutoff=0.6)
    if not close and len(lower) > 2:
        close = [name for name in by_lower if name.startswith(lower)]
    return f"; did you mean {by_lower[close[0]]}?" if close else ""


def list_known(known: Iterable[str], limit: int = 12) -> str:
    """The known names with commas, shortened when there are many."""
    names = list(known)
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
