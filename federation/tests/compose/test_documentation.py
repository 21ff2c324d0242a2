"""Every example of docs/federation-composition.md does what the page says."""

import re
from pathlib import Path

import pytest

from trivium_federation.compose import SubgraphSchema, compose
from trivium_federation.compose.directives import KNOWN

PAGE = Path(__file__).parents[3] / "docs/federation-composition.md"
BLOCK = re.compile(
    r"^```(?P<kind>graphql|graphql-1|text) ?(?P<name>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
IMPORTS = ", ".join(
    f'"@{name}"' for name, known in KNOWN.items() if known.since <= (2, 9) and name != "extends"
)
LINK = f'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: [{IMPORTS}])\n'
SECTIONS = {
    part.splitlines()[0]: list(BLOCK.finditer(part))
    for part in PAGE.read_text().split("\n## ")[1:]
    if BLOCK.search(part)
}


@pytest.mark.parametrize("section", SECTIONS)
def test_example_of_the_page_composes_or_gives_the_code_shown(section: str) -> None:
    """A section without a code composes without errors; else that code is among what is told."""
    schemas: list[SubgraphSchema] = []
    code = ""
    for block in SECTIONS[section]:
        if block["kind"] == "text":
            code = block["body"].strip()
        else:
            sdl = block["body"] if block["kind"] == "graphql-1" else LINK + block["body"]
            schemas.append(SubgraphSchema(block["name"], f"http://{block['name']}/", sdl))
    composition = compose(
        schemas, optional=frozenset({"reviews"}) if code.startswith("OPTIONAL") else frozenset()
    )
    told = [problem.code for problem in (*composition.errors, *composition.hints)]
    if code:
        assert code in told
    else:
        assert not composition.errors, "\n".join(map(str, composition.errors))


def test_every_directive_has_an_example_or_is_refused() -> None:
    """@context and @fromContext are the ones that are refused, @extends is federation 1's `extend`."""
    shown = "".join(block["body"] for blocks in SECTIONS.values() for block in blocks)
    assert {name for name in KNOWN if f"@{name}" not in shown} == {"context", "fromContext", "extends"}
