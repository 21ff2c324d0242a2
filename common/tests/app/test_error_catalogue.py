"""docs/errors.md lists every code with its status."""

import re
from collections.abc import Iterator
from pathlib import Path

from trivium_common.errors import CallerFault, OurFault, TriviumError

CATALOGUE = Path(__file__).parents[3] / "docs" / "errors.md"


def kinds_below(kind: type[TriviumError]) -> Iterator[type[TriviumError]]:
    for below in kind.__subclasses__():
        if below.__module__ == "trivium_common.errors":
            yield below
            yield from kinds_below(below)


def test_the_catalogue_lists_every_code_with_its_status() -> None:
    listed = dict(re.findall(r"^\| `([a-z_]+)` \| (\d{3})", CATALOGUE.read_text(), re.MULTILINE))

    for kind in kinds_below(TriviumError):
        if kind not in (CallerFault, OurFault):
            assert listed.get(kind.code) == str(kind.status), kind.code
