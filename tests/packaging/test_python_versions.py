"""Every supported Python installs the workspace from the lock and passes the unit tests."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT_TESTS = [
    "common/tests",
    "edge/tests",
    "federation/tests",
    "bffs/web/tests",
    "bffs/mobile/tests",
    "bffs/iot/tests",
]


def find_python(version: str) -> str | None:
    """An interpreter of `version` that really runs: on PATH, or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")))]
    for candidate in filter(None, found):
        if subprocess.run([candidate, "--version"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


@pytest.mark.conformance
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_unit_tests_pass_on_a_newer_python(version, tmp_path):
    """The same lock, the same tests; 3.11 is what the other tests run on."""
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    venv = tmp_path / "venv"
    subprocess.run([python, ROOT / "cli/bootstrap.py", venv], check=True, timeout=600)
    done = subprocess.run(
        [
            venv / "bin/python",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--ignore=federation/tests/fuzz",
            *UNIT_TESTS,
        ],
        cwd=ROOT,
        timeout=900,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
