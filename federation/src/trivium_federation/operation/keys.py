"""Decides the key of each field in the merged data: the client's own where it can be, so that answers need no renaming."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Use = tuple[str, str]


def client_keys(
    uses: Mapping[Use, Iterable[str]], fieldset_names: frozenset[str], field_names: frozenset[str]
) -> dict[Use, str]:
    """Keys for fields that the client shows under one response key.

    `uses`: for each name and arguments text the response keys that the operation has for it. A key must not be taken
    for another field: an alias is used if no field is called so; a field with arguments keeps its own name if neither
    the operation nor a field set uses that name with others.
    """
    variants: dict[str, int] = {}
    claims: dict[str, int] = {}
    for (name, _), response_keys in uses.items():
        variants[name] = variants.get(name, 0) + 1
        for response_key in response_keys:
            claims[response_key] = claims.get(response_key, 0) + 1
    found: dict[Use, str] = {}
    for use, response_keys in uses.items():
        name, arguments = use
        shown = sorted(response_keys)
        is_own = arguments and variants[name] == 1 and name not in fieldset_names
        if len(shown) == 1 and shown[0] != name and claims[shown[0]] == 1 and _is_free(shown[0], field_names):
            found[use] = shown[0]
        elif is_own:
            found[use] = name
    return found


def _is_free(alias: str, field_names: frozenset[str]) -> bool:
    return alias not in field_names and not alias.startswith("_")
