"""The command as people run it: quick, one line for a mistake, tokens and keys that fit the rest."""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from joserfc.jwk import KeySet

from trivium_cli.handed_on import HANDED_ON
from trivium_cli.identity import sign_edge_identity
from trivium_cli.keys import create_signing_key
from trivium_cli.stack.processes import NAMES
from trivium_common.auth.development import development_private_key
from trivium_common.auth.edge_identity import EdgeIdentityVerifier, load_private_key, load_public_keys

LIMIT_S = 30


def run_trivium(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trivium_cli", *words],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        env=os.environ | {"COLUMNS": "200"},
    )


def test_help_imports_nothing_that_only_one_subcommand_needs() -> None:
    """Whoever types `trivium --help` does not wait for cryptography, watchfiles or an event loop."""
    code = "import sys, trivium_cli.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT_S
    ).stdout.split()
    assert not {"asyncio", "joserfc", "cryptography", "watchfiles", "rich", "pydantic"} & set(loaded)


@pytest.mark.parametrize("name", sorted(HANDED_ON))
def test_commands_of_the_deployables_are_handed_on_with_help_and_exit_code(name: str) -> None:
    """A renamed command there would leave a dead one here."""
    told = run_trivium(name, "--help")
    assert told.returncode == 0
    assert name in told.stdout
    refused = run_trivium(name, "--no-such-option")
    assert refused.returncode == 2
    assert refused.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("up", "--port-base", "70000"), "--port-base 70000: must lie between"),
        (("up", "--except", "nobody"), "there is no such process"),
        (("up", "--reload", "users"), "--reload users: choose from web, mobile, iot"),
        (("up", "--reload", "web", "--except", "web"), "it is left out"),
        (("up", *(word for name in NAMES for word in ("--except", name))), "nothing is left to start"),
        (("token", "--user", "bob", "--client", "web", "--edge"), "--user bob: choose ada"),
        (("token", "--user", "d1", "--client", "iot"), "a device sends its API key"),
        (("token", "--user", "ada", "--client", "web", "--issuer", "http://127.0.0.1:9"), "run `trivium up`"),
    ],
)
def test_mistake_is_one_line_and_exit_code_2(words: tuple[str, ...], says: str) -> None:
    done = run_trivium(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.mark.parametrize(
    ("user", "client", "subject", "consumer"),
    [
        ("ada", "web", "u1", "web-app"),
        ("u17", "mobile", "u17", "mobile-app"),
        ("d2", "iot", "d2", "sensor-d2"),
    ],
)
def test_edge_token_is_what_the_bff_of_that_client_accepts(
    user: str, client: str, subject: str, consumer: str
) -> None:
    """A BFF that runs alone believes it under the development key."""
    verifier = EdgeIdentityVerifier(KeySet([development_private_key()]), client)
    identity = verifier.verify(sign_edge_identity(user=user, client=client).encode())
    assert (identity.subject, identity.kind, identity.consumer) == (subject, client, consumer)
    assert identity.expires_at > time.time() + 600


def test_printed_edge_token_stands_alone_on_stdout() -> None:
    """So that it fits into "$(trivium token ...)"."""
    done = run_trivium("token", "--user", "ada", "--client", "web", "--edge")
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.stdout)


def test_new_api_key_comes_with_the_line_that_holds_its_hash() -> None:
    """The line for gateway.yaml has the SHA-256 of the very key that is shown, and not the key."""
    output = run_trivium("key", "create", "--consumer", "thermostat-d7", "--subject", "d7").stdout
    key = re.search(r"X-API-Key\): (trv_\S{40,})\n", output)
    entry = re.search(r"^ *- (\{.*\})$", output, re.MULTILINE)
    assert key
    assert entry
    assert f'hash: "sha256:{hashlib.sha256(key[1].encode()).hexdigest()}"' in entry[1]
    assert 'subject: "d7"' in entry[1]
    assert output.count(key[1]) == 1


def test_signing_key_pair_fits_edge_and_bff(tmp_path: Path) -> None:
    """Production accepts both halves, the private one is for its owner's eyes and never overwritten."""
    private, public = tmp_path / "private.json", tmp_path / "public.json"
    public.write_text(create_signing_key(private))
    assert load_private_key(str(private), is_production=True).is_private
    assert "d" not in json.loads(public.read_text())["keys"][0]
    assert len(load_public_keys(str(public), is_production=True).keys) == 1
    assert private.stat().st_mode & 0o077 == 0
    assert run_trivium("key", "signing", "--out", str(private)).returncode == 2
