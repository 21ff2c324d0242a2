"""Reads cases.txt: subgraph sets with what composition must say of each.

=== name
expect: composes | CODE at subgraph:line:column; ...
hints: CODE CODE               (codes of hints, where it composes)
differs: why                   (where the reference composer decides otherwise, on purpose)
--- subgraph
SDL; a line `LINK v2.3 cost` stands for the @link to that version with the usual imports and @cost
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from trivium_federation.compose import SubgraphSchema

_LINK = re.compile(r"^LINK v([\d.]+)(.*)$", re.MULTILINE)
_USUAL = ("key", "requires", "provides", "external", "shareable", "override", "inaccessible", "tag")
CASES_FILE = Path(__file__).parent.parent / "cases.txt"


@dataclass(slots=True)
class Case:
    """One set and its verdict."""

    name: str
    expect: str = ""
    hints: frozenset[str] = frozenset()
    differs: str = ""
    subgraphs: dict[str, str] = field(default_factory=dict)

    def schemas(self) -> list[SubgraphSchema]:
        """The set as composition takes it."""
        return [SubgraphSchema(name, f"http://{name}.invalid/", sdl) for name, sdl in self.subgraphs.items()]


def read_cases() -> list[Case]:
    """All cases, in the order of the file."""
    cases: list[Case] = []
    lines: list[str] = []
    for line in [*CASES_FILE.read_text().splitlines(), "=== "]:
        marker, _, rest = line.partition(" ")
        if marker in ("===", "---") and lines:
            name = next(reversed(cases[-1].subgraphs))
            cases[-1].subgraphs[name] = _LINK.sub(_link, "\n".join(lines).strip("\n"))
            lines = []
        if marker == "===":
            cases.append(Case(rest))
        elif marker == "---":
            cases[-1].subgraphs[rest] = ""
        elif not cases[-1].subgraphs and marker == "expect:":
            cases[-1].expect = rest
        elif not cases[-1].subgraphs and marker == "hints:":
            cases[-1].hints = frozenset(rest.split())
        elif not cases[-1].subgraphs and marker == "differs:":
            cases[-1].differs = rest
        elif cases[-1].subgraphs:
            lines.append(line)
    return cases[:-1]


def _link(match: re.Match[str]) -> str:
    imports = ", ".join(f'"@{name}"' for name in (*_USUAL, *match[2].split()))
    return f'extend schema @link(url: "https://specs.apollo.dev/federation/v{match[1]}", import: [{imports}])'
