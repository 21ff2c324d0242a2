"""Makes nearly right subgraph sets: one right set with one to three small changes, as people make them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Sets = dict[str, str]
_USES = re.compile(
    r" @(?:shareable|external|interfaceObject|key\([^)]*\)|requires\([^)]*\)|provides\([^)]*\)|override\([^)]*\))"
)
_FIELD = re.compile(
    r"^  (?P<name>\w+)(?P<arguments>\([^)]*\))?: (?P<type>[\w\[\]!]+)(?P<rest>.*)$", re.MULTILINE
)
_TYPE = re.compile(
    r"^(?P<head>(?:type|interface) (?P<name>\w+)[^{\n]*)\{\n(?P<body>(?:  .*\n)+)\}", re.MULTILINE
)
_ADDED = (
    " @inaccessible",
    " @shareable",
    " @external",
    ' @override(from: "a")',
    ' @tag(name: "t")',
    " @deprecated",
)


def mutate(rng: random.Random, subgraphs: Sets) -> Sets:
    """A changed copy. It may still be right."""
    changed = dict(subgraphs)
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(sorted(changed))
        change = rng.choice(_CHANGES)
        changed[name] = change(rng, changed[name], changed)
    return changed


def _pick(rng: random.Random, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return rng.choice(found) if found else None


def _replaced(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _drop_directive(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, _USES, text)
    return _replaced(text, match, "") if match else text


def _add_directive(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, _FIELD, text)
    return _replaced(text, match, match[0] + rng.choice(_ADDED)) if match else text


def _change_type(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, _FIELD, text)
    if not match:
        return text
    old = match["type"]
    choices = [old.removesuffix("!") if old.endswith("!") else f"{old}!", f"[{old}]", "Int", "String"]
    line = f"  {match['name']}{match['arguments'] or ''}: {rng.choice(choices)}{match['rest']}"
    return _replaced(text, match, line)


def _drop_field(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, _FIELD, text)
    return _replaced(text, match, "") if match else text


def _add_argument(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, _FIELD, text)
    if not match or match["arguments"]:
        return text
    argument = rng.choice(("(x: Int)", "(x: Int!)", "(x: Int = 1)", "(x: [String!])"))
    return _replaced(text, match, f"  {match['name']}{argument}: {match['type']}{match['rest']}")


def _copy_field(rng: random.Random, text: str, all_texts: Sets) -> str:
    """A field of a type in another subgraph appears here too."""
    other = all_texts[rng.choice(sorted(all_texts))]
    source = _pick(rng, _TYPE, other)
    target = next((m for m in _TYPE.finditer(text) if source and m["name"] == source["name"]), None)
    if source is None or target is None:
        return text
    line = rng.choice(source["body"].splitlines())
    if line.split(":")[0].split("(")[0] + ":" in target["body"]:
        return text
    return _replaced(text, target, f"{target['head']}{{\n{target['body']}{line}\n}}")


def _change_key(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, re.compile(r'@key\(fields: "[^"]*"'), text)
    field = _pick(rng, _FIELD, text)
    return _replaced(text, match, f'@key(fields: "{field["name"]}"') if match and field else text


def _make_unresolvable(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, re.compile(r'@key\(fields: "[^"]*"\)'), text)
    return _replaced(text, match, match[0][:-1] + ", resolvable: false)") if match else text


def _drop_value(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, re.compile(r"^enum \w+ \{ (.*) \}$", re.MULTILINE), text)
    if not match:
        return text
    values = match[1].split()
    values.remove(rng.choice(values))
    return _replaced(text, match, match[0].replace(match[1], " ".join(values) or "OTHER"))


def _drop_implements(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, re.compile(r" implements \w+"), text)
    return _replaced(text, match, "") if match else text


def _drop_type(rng: random.Random, text: str, _: Sets) -> str:
    match = _pick(rng, _TYPE, text)
    return _replaced(text, match, "") if match else text


def _become_federation_1(rng: random.Random, text: str, _: Sets) -> str:
    """Without its @link, a schema counts as one of federation 1."""
    del rng
    return re.sub(r"^extend schema @link[^\n]*\n", "", text)


_CHANGES: tuple[Callable[[random.Random, str, Sets], str], ...] = (
    _drop_directive,
    _drop_directive,
    _add_directive,
    _add_directive,
    _change_type,
    _drop_field,
    _add_argument,
    _copy_field,
    _copy_field,
    _change_key,
    _make_unresolvable,
    _drop_value,
    _drop_implements,
    _drop_type,
    _become_federation_1,
)
