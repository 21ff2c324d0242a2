"""docs/configuration.md is what the models say, and every example in it loads."""

import re
from pathlib import Path

import pytest

from trivium_edge.config.load import load_config
from trivium_edge.config.reference import render_reference
from trivium_edge.supervisor.reload import FIXED

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_page_is_written_from_the_models() -> None:
    """`trivium-edge reference > docs/configuration.md` brings it up to date."""
    assert PAGE.read_text() == render_reference(FIXED)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_loads(tmp_path: Path, example: str) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(example)

    assert load_config(str(path), {}).config.routes


def test_every_setting_has_a_meaning() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []
