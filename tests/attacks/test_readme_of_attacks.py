"""The table of who proves what: complete, and naming tests that exist."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
ROW = re.compile(r"^\| (A\d.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
LAST_ID = 106


def list_ids(cell: str) -> list[int]:
    """`A31-A34, A36` is 31, 32, 33, 34, 36."""
    found: list[int] = []
    for part in cell.split(", "):
        first, _, last = part.replace("A", "").partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def test_every_attack_has_a_row_and_every_named_test_exists() -> None:
    rows = ROW.findall((FOLDER / "README.md").read_text())
    ids = [one for cell, _, _ in rows for one in list_ids(cell)]
    assert sorted(ids) == list(range(1, LAST_ID + 1))

    files = [path for path in ROOT.glob("*/tests/**/test_*.py") if ".venv" not in path.parts]
    files += [*ROOT.glob("bffs/*/tests/**/test_*.py"), *ROOT.glob("tests/**/test_*.py")]
    known = {path.stem for path in files}
    for path in files:
        known.update(re.findall(r"^\s*(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE))
    for _, proof, _ in rows:
        named = re.findall(r"test_\w+", proof)
        assert named or "not yet" in proof or "tests" in proof, proof
        for name in named:
            assert any(one.startswith(name) for one in known), name
