"""The public audit is foreign code that not every machine can fetch: without it these tests are deselected, and said so."""

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the audit out of the run (deselected, not skipped) unless AUDIT_DIR or AUDIT_URL says where it is."""
    if os.environ.get("AUDIT_DIR") or os.environ.get("AUDIT_URL"):
        return
    audit = [item for item in items if item.path.is_relative_to(_HERE)]
    if audit:
        items[:] = [item for item in items if item not in audit]
        config.hook.pytest_deselected(items=audit)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say that the audit did not run, where somebody asked for the long checks."""
    asked = config.getoption("markexpr") == "conformance"
    if asked and not (os.environ.get("AUDIT_DIR") or os.environ.get("AUDIT_URL")):
        terminalreporter.write_line(
            "public federation audit: not run; set AUDIT_DIR or AUDIT_URL (make federation-audit)"
        )
