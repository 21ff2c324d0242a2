"""The other subcommands against a real stack: tokens that are accepted, the check of a configuration."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from running_stack import RunningStack, wait_until

GATEWAY = Path(__file__).parents[2] / "edge" / "gateway.yaml"
LIMIT_S = 60


def run_trivium(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trivium_cli", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def test_token_of_identity_is_accepted_by_the_edge(stack: RunningStack, edge: httpx.Client) -> None:
    """`trivium token --user grace --client mobile` is grace on her phone."""
    done = run_trivium("token", "--user", "grace", "--client", "mobile", "--issuer", stack.url("identity"))
    assert done.returncode == 0, done.stderr
    answer = edge.get("/api/mobile/home", headers={"Authorization": f"Bearer {done.stdout.strip()}"})
    assert (answer.status_code, answer.json()["user"]["id"]) == (200, "u2")


def test_unknown_user_is_refused_in_one_line(stack: RunningStack) -> None:
    done = run_trivium("token", "--user", "nobody", "--client", "web", "--issuer", stack.url("identity"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "gives no token for nobody" in done.stderr


def test_edge_token_opens_a_bff_directly(stack: RunningStack) -> None:
    """A team calls its BFF without an edge; the same token does not open another team's."""
    token = run_trivium("token", "--user", "ada", "--client", "web", "--edge").stdout.strip()
    headers = {"X-Edge-Identity": token}
    with stack.connect("web") as web, stack.connect("mobile") as mobile:
        answer = web.post("/graphql", json={"query": "{ me { id name } }"}, headers=headers)
        assert answer.json()["data"]["me"]["id"] == "u1"
        assert mobile.get("/home", headers=headers).status_code == 401


def test_check_passes_on_what_the_edge_says(tmp_path: Path) -> None:
    """The shipped configuration holds; a typo is refused with its place, and the exit code is the edge's."""
    good = run_trivium("check", str(GATEWAY))
    assert good.returncode == 0, good.stderr
    bad = tmp_path / "gateway.yaml"
    bad.write_text(GATEWAY.read_text().replace("client_kind: web", "client_kid: web"))
    done = run_trivium("check", str(bad))
    assert done.returncode == 2
    assert f"{bad}:" in done.stdout + done.stderr
    assert "client_kid" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/mobile/home", "check     authenticate: jwt-auth: refused"),
        ("/nowhere", "refused with 404 route_not_found"),
    ],
)
def test_refusal_is_explained_with_the_line_behind_it(
    stack: RunningStack, edge: httpx.Client, path: str, says: str
) -> None:
    """Whoever sees a request id in an answer can ask what happened."""
    request_id = edge.get(path).headers["x-request-id"]
    admin = ("--admin", stack.ready["urls"]["edge_admin"])

    wait_until(lambda: run_trivium("explain", request_id, *admin).returncode == 0, "the decision is there")
    told = run_trivium("explain", request_id, *admin).stdout
    assert says in told
    assert path in told
    if path != "/nowhere":
        assert "gateway.yaml:" in told
    assert run_trivium("explain", "no-such-request", *admin).returncode == 2
