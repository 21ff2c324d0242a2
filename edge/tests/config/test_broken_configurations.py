"""A table of broken configurations: each is refused with every fault at its line and column."""

import os
from pathlib import Path

import pytest

from trivium_edge.__main__ import main
from trivium_edge.config.load import load_config
from trivium_edge.config.positions import ConfigInvalid

TABLE = Path(__file__).with_name("broken_configurations.txt")


def read_table() -> list[tuple[str, str, list[str]]]:
    """(name, configuration, expected faults) of each entry: `=== name`, the file, `---`, the faults."""
    entries = []
    for block in TABLE.read_text().split("=== ")[1:]:
        name, _, rest = block.partition("\n")
        text, _, faults = rest.rpartition("---\n")
        entries.append((name, text, faults.strip().splitlines()))
    return entries


CASES = read_table()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_fault_is_told_at_its_line_and_column(folder: Path, text: str, expected: list[str]) -> None:
    (folder / "gateway.yaml").write_text(text)

    with pytest.raises(ConfigInvalid) as refused:
        load_config("gateway.yaml", {"SECRET_TEXT": "hunter2 secret"})

    told = [str(fault) for fault in refused.value.faults]
    assert told == expected
    assert "hunter2" not in "\n".join(told)


def test_the_table_holds_more_than_a_hundred_cases() -> None:
    assert len(CASES) > 100


def test_check_prints_one_line_per_fault_and_ends_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text, expected = next(case for case in CASES if case[0] == "many faults are told at once")
    (folder / "gateway.yaml").write_text(text)

    assert main(["check", "gateway.yaml"]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert lines[:-1] == expected
    assert lines[-1] == f"gateway.yaml: {len(expected)} faults; the configuration is refused"


def test_a_missing_file_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nowhere.yaml"]) == 2

    assert capsys.readouterr().err.splitlines()[0] == (
        "nowhere.yaml:1:1: the file nowhere.yaml cannot be read: No such file or directory"
    )


def test_bytes_that_are_no_text_are_told_with_their_line(folder: Path) -> None:
    Path("gateway.yaml").write_bytes(b"format_version: 1\n# caf\xe9\n")

    with pytest.raises(ConfigInvalid) as refused:
        load_config("gateway.yaml", os.environ)

    assert str(refused.value) == "gateway.yaml:2:1: found bytes that are not UTF-8 text"
