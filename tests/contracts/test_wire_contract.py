"""docs/wire-contract.md and the code of both sides say the same."""

import re
from pathlib import Path

import orjson
from joserfc import jws

from trivium_common.auth import edge_identity
from trivium_common.auth.edge_identity import EdgeIdentitySigner, load_private_key
from trivium_common.errors import EdgeIdentityRequired
from trivium_edge.proxy.header_rules import TRUST_HEADERS, lines_up

PAGE = (Path(__file__).parents[2] / "docs" / "wire-contract.md").read_text()
UPWARD = PAGE.partition("## From the edge to a BFF")[2].partition("### X-Edge-Identity")[0]


def named_headers(text: str) -> set[bytes]:
    """The header names of the table's first column; `-Proto` continues the name before it."""
    names: list[str] = []
    for row in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            names.append(names[-1].rpartition("-")[0] + name if name.startswith("-") else name)
    return {name.lower().encode() for name in names}


def test_every_header_that_the_page_promises_is_one_that_a_client_cannot_send() -> None:
    """traceparent alone is the client's own, when it is well formed."""
    promised = named_headers(UPWARD) - {b"traceparent"}
    assert len(promised) >= 11
    assert promised <= TRUST_HEADERS
    forged = [(name, b"x") for name in promised] + [(name.replace(b"-", b"_"), b"x") for name in promised]
    assert lines_up(forged, None, frozenset()) == b""


def test_every_header_of_the_code_is_on_the_page_or_only_removed() -> None:
    """A new trust header needs its line in the contract."""
    only_removed = {
        b"forwarded",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-server",
        b"x-real-ip",
    }
    assert named_headers(UPWARD) - {b"traceparent"} == TRUST_HEADERS - only_removed


def test_the_signed_identity_has_the_form_that_the_page_gives() -> None:
    """Type, issuer, lifetime, and the code of the refusal."""
    for value in (edge_identity.TYPE, edge_identity.ISSUER, EdgeIdentityRequired.code, "Ed25519"):
        assert f"{value}" in PAGE
    assert f"`exp` ({edge_identity.LIFETIME_S} s later)" in PAGE


def test_the_claims_of_a_signed_identity_are_those_of_the_page() -> None:
    """Read from a token as any other implementation of a BFF would read it."""
    key = load_private_key(None, is_production=False)
    token = EdgeIdentitySigner(key).sign(
        subject="u1", consumer="web-app", kind="web", audience="web", email="a@b", roles=("r",), scopes=("s",)
    )
    claims = orjson.loads(jws.deserialize_compact(token, key, algorithms=["Ed25519"]).payload)
    section = PAGE.partition("### X-Edge-Identity")[2].partition("## From a BFF")[0]
    assert {name for name in claims if f"`{name}" in section} == set(claims)
