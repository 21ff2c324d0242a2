"""The figures that the documentation shows are those of the code."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "docs" / "rate-limiting" / "draw.py"


def test_table_and_plot_of_the_documentation_are_what_the_code_does():
    """`python docs/rate-limiting/draw.py` brings them up to date."""
    done = subprocess.run([sys.executable, SCRIPT, "--check"], check=False, timeout=120)
    assert done.returncode == 0
