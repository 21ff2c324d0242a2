"""Where these tests need what not every machine can fetch, they are deselected, and that is said."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the public audit out of the run unless AUDIT_DIR or AUDIT_URL says where it is."""
    if os.environ.get("AUDIT_DIR") or os.environ.get("AUDIT_URL"):
        return
    audit = [item for item in items if item.path.name == "test_composed_audit.py"]
    if audit:
        items[:] = [item for item in items if item not in audit]
        config.hook.pytest_deselected(items=audit)
