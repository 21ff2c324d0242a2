"""Where supergraphs come from: written by hand beside this file, taken from the public audit, or made at random."""

import os
from collections.abc import Iterator
from pathlib import Path

from federation_fuzz.campaign import Source

_WRITTEN = Path(__file__).parent / "supergraphs"

# Two suites of the audit hold positions that no plan can reach; there the plain schema is no measure.
_UNREACHABLE = {"corrupted-supergraph-node-id", "non-resolvable-interface-object"}


def written_sources() -> list[Source]:
    """The supergraphs written for this fuzzer."""
    return [Source(path.stem, path.read_text()) for path in sorted(_WRITTEN.glob("*.graphql"))]


def audit_sources() -> list[Source]:
    """The audit's supergraphs, when AUDIT_DIR or AUDIT_URL says where it is."""
    if not (os.environ.get("AUDIT_DIR") or os.environ.get("AUDIT_URL")):
        return []
    from federation_audit.server import running_server

    with running_server(strict_plans=False) as server:
        suites = [suite for suite in server.suites() if suite not in _UNREACHABLE]
        return [Source(f"audit-{suite}", server.supergraph_sdl(suite)) for suite in suites]


def random_sources(seed: int, count: int) -> Iterator[Source]:
    """Made supergraphs, each a pure function of the seed and its number."""
    from federation_fuzz.made import make_supergraph

    for number in range(count):
        yield Source(f"made-{seed}-{number}", make_supergraph(seed * 1_000_003 + number))
