"""Merges the directives on one element of the graph, and its description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from graphql import parse_const_value, print_ast
from graphql.language import ast

from trivium_federation.compose.merge.state import Merging, most_common
from trivium_federation.compose.problems import Place
from trivium_federation.compose.source import Applied, HasDirectives, Source

_SPEC_OF = {"listSize": "cost"}


def merge_directives(merging: Merging, parts: Sequence[tuple[Source, HasDirectives]]) -> list[str]:
    """The directives that the supergraph repeats, as text."""
    found: dict[str, list[Applied]] = {}
    for _, part in parts:
        for applied in part.directives:
            found.setdefault(applied.name, []).append(applied)
    texts: list[str] = []
    for name, uses in found.items():
        merged = _merge(merging, name, uses)
        if merged and name in (
            "tag",
            "inaccessible",
            "authenticated",
            "requiresScopes",
            "policy",
            "cost",
            "listSize",
        ):
            merging.specs.add(_SPEC_OF.get(name, name))
        texts += merged
    return texts


def merge_description(merging: Merging, what: str, parts: Iterable[tuple[Place, str | None]]) -> str | None:
    """The description that most subgraphs give; a hint where they differ."""
    known = [(place, text) for place, text in parts if text]
    chosen = most_common(text for _, text in known)
    if len({text for _, text in known}) > 1:
        merging.problems.hint(
            "INCONSISTENT_DESCRIPTION", f"{what} is described differently", *[place for place, _ in known]
        )
    return chosen


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of the access directives: its name, and alternatives of which one must hold in whole."""

    name: str
    alternatives: frozenset[frozenset[str]]

    def implies(self, other: Requirement) -> bool:
        """Whether who fulfils this one also fulfils the other."""
        return self.name == other.name and all(
            any(wanted <= mine for wanted in other.alternatives) for mine in self.alternatives
        )

    def __str__(self) -> str:
        argument = {"requiresScopes": "scopes", "policy": "policies"}.get(self.name)
        sets = sorted(sorted(one) for one in self.alternatives)
        text = ", ".join("[" + ", ".join(f'"{item}"' for item in one) + "]" for one in sets)
        return f"@{self.name}({argument}: [{text}])" if argument else f"@{self.name}"


def combine_requirements(requirements: Iterable[Requirement]) -> list[Requirement]:
    """What must hold if all of them must hold: one requirement per directive, in its shortest form."""
    by_name: dict[str, list[frozenset[frozenset[str]]]] = {}
    for requirement in requirements:
        by_name.setdefault(requirement.name, []).append(requirement.alternatives)
    combined: list[Requirement] = []
    for name, given in by_name.items():
        sets = {frozenset[str]().union(*chosen) for chosen in product(*dict.fromkeys(given))}
        minimal = frozenset(c for c in sets if not any(other < c for other in sets))
        combined.append(Requirement(name, minimal))
    return combined


def read_requirements(texts: Iterable[str]) -> list[Requirement]:
    """The requirements among printed directives."""
    found: list[Requirement] = []
    for text in texts:
        name = text[1:].split("(")[0]
        if name == "authenticated":
            found.append(Requirement(name, frozenset({frozenset()})))
        elif name in ("requiresScopes", "policy"):
            value = parse_const_value(text[text.index(":") + 1 : -1])
            found.append(Requirement(name, frozenset(_alternatives(value))))
    return combine_requirements(found)


def _merge(merging: Merging, name: str, uses: list[Applied]) -> list[str]:
    if name in ("inaccessible", "authenticated", "oneOf"):
        return [f"@{name}"]
    if name == "tag":
        return list(dict.fromkeys(f'@tag(name: "{u.text("name") or ""}")' for u in uses))
    if name in ("deprecated", "specifiedBy"):
        chosen = most_common(_text(name, use) for use in uses)
        return [chosen] if chosen else []
    if name in ("requiresScopes", "policy"):
        return [_merge_alternatives(name, uses)]
    if name == "cost":
        weights = [int(getattr(use.argument("weight"), "value", 0)) for use in uses]
        return [f"@cost(weight: {max(weights)})"]
    if name == "listSize":
        return [_merge_list_size(uses)]
    local = uses[0].local_name
    if local in merging.composed:
        texts = list(dict.fromkeys(_text(local, use) for use in uses))
        return texts if merging.composed[local] else [most_common(texts) or texts[0]]
    return []


def _text(name: str, use: Applied) -> str:
    arguments = ", ".join(f"{a.name.value}: {print_ast(a.value)}" for a in use.node.arguments or ())
    return f"@{name}({arguments})" if arguments else f"@{name}"


def _merge_alternatives(name: str, uses: Sequence[Applied]) -> str:
    """Scopes are alternatives of sets that must all hold; what several subgraphs ask must hold together."""
    argument = "scopes" if name == "requiresScopes" else "policies"
    given = [Requirement(name, frozenset(_alternatives(use.argument(argument)))) for use in uses]
    return str(combine_requirements(given)[0])


def _alternatives(value: ast.ValueNode | None) -> list[frozenset[str]]:
    outer = value.values if isinstance(value, ast.ListValueNode) else [value] if value is not None else []
    found: list[frozenset[str]] = []
    for inner in outer:
        items = inner.values if isinstance(inner, ast.ListValueNode) else [inner]
        found.append(frozenset(i.value for i in items if isinstance(i, ast.StringValueNode)))
    return found or [frozenset()]


def _merge_list_size(uses: Sequence[Applied]) -> str:
    assumed = [int(v.value) for u in uses if isinstance(v := u.argument("assumedSize"), ast.IntValueNode)]
    parts = [f"assumedSize: {max(assumed)}"] if assumed else []
    for name in ("slicingArguments", "sizedFields"):
        values = dict.fromkeys(item for use in uses for item in _strings(use.argument(name)))
        if values:
            parts.append(f"{name}: [{', '.join(f'{chr(34)}{v}{chr(34)}' for v in values)}]")
    asked = [
        v.value
        for u in uses
        if isinstance(v := u.argument("requireOneSlicingArgument"), ast.BooleanValueNode)
    ]
    if asked and len(asked) == len(uses) and not any(asked):
        parts.append("requireOneSlicingArgument: false")
    return f"@listSize({', '.join(parts)})" if parts else "@listSize"


def _strings(value: ast.ValueNode | None) -> list[str]:
    values = value.values if isinstance(value, ast.ListValueNode) else [value]
    return [v.value for v in values if isinstance(v, ast.StringValueNode)]
