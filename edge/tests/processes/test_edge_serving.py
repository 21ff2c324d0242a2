"""Clients through the real processes: who passes, what the BFF is told, what is counted, logged and explained."""

import concurrent.futures
import json
import socket
from typing import Any

import pytest
from joserfc.jwk import KeySet

from trivium_common.auth.development import development_private_key
from trivium_common.auth.edge_identity import EdgeIdentityVerifier


def bearer(origin: Any, client_id: str = "trivium-web", **claims: object) -> dict[str, str]:
    return {"authorization": f"Bearer {origin.token(client_id, **claims)}"}


def test_a_person_on_the_web_passes_and_the_bff_learns_who_it_is(edge: Any, origin: Any) -> None:
    answer = edge.get("/api/web/home?tab=1", **bearer(origin), x_user_id="u2", x_user_roles="root")

    assert answer.status_code == 200
    seen = answer.json()
    assert seen["path"] == "/home?tab=1"
    headers = seen["headers"]
    assert (headers["x-user-id"], headers["x-user-email"]) == ("u1", "ada@example.com")
    assert (headers["x-user-roles"], headers["x-consumer"]) == ("customer,admin", "web-app")
    assert "authorization" not in headers
    assert headers["x-request-id"] == answer.headers["x-request-id"]
    verifier = EdgeIdentityVerifier(KeySet([development_private_key()]), "web")
    identity = verifier.verify(headers["x-edge-identity"].encode())
    assert (identity.subject, identity.consumer, identity.kind) == ("u1", "web-app", "web")


def test_a_device_passes_with_its_key(edge: Any, device_key: str) -> None:
    headers = edge.get("/api/iot/twin", x_api_key=device_key).json()["headers"]

    assert (headers["x-user-id"], headers["x-consumer"]) == ("d1", "thermostat")
    assert "x-api-key" not in headers


@pytest.mark.parametrize(
    ("path", "credential", "status", "code"),
    [
        ("/api/web/x", "none", 401, "authentication_required"),
        ("/api/web/x", "forged", 401, "invalid_credential"),
        ("/api/web/x", "mobile", 403, "wrong_client_kind"),
        ("/api/web/x", "device", 403, "wrong_client_kind"),
        ("/api/iot/x", "none", 401, "authentication_required"),
        ("/api/iot/x", "web", 401, "authentication_required"),
        ("/nowhere", "web", 404, "route_not_found"),
    ],
)
def test_who_may_not_pass_is_told_why_and_the_operator_more(
    edge: Any,
    origin: Any,
    device_key: str,
    path: str,
    credential: str,
    status: int,
    code: str,
    wait_until: Any,
) -> None:
    headers = {
        "none": {},
        "forged": {"authorization": f"Bearer {origin.token()[:-6]}AAAAAA"},
        "web": bearer(origin),
        "mobile": bearer(origin, "trivium-mobile"),
        "device": {"x_api_key": device_key},
    }[credential]

    answer = edge.get(path, **headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    request_id = answer.headers["x-request-id"]
    explained = wait_until(lambda: found_decision(edge, request_id), "the decision")
    assert (explained["status"], explained["error"]["code"]) == (status, code)
    if status == 404:
        return
    assert explained["route"]["configured_at"].startswith(f"{edge.config}:")
    verdicts = {check["step"]: check["verdict"] for check in explained["checks"]}
    assert verdicts == (
        {"authenticate": "refused", "authorise": "did not run"}
        if status == 401
        else {"authenticate": "passed", "authorise": "refused"}
    )


def found_decision(edge: Any, request_id: str) -> dict[str, Any] | None:
    found = edge.admin("GET", f"/decisions/{request_id}")
    return found.json() if found.status_code == 200 else None


def test_every_outcome_can_be_explained(edge: Any, origin: Any, wait_until: Any) -> None:
    """413, 405, 429, 503: each names what decided."""
    import httpx

    too_large = httpx.post(
        f"{edge.url}/api/web/x", headers=bearer(origin), content=b"x" * 70_000, trust_env=False
    )
    explained = wait_until(lambda: found_decision(edge, too_large.headers["x-request-id"]))
    assert (explained["status"], explained["error"]["code"]) == (413, "body_too_large")

    wrong_method = httpx.delete(f"{edge.url}/scarce/x", trust_env=False)
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET, HEAD")

    limited = None
    for _ in range(40):
        limited = edge.get("/scarce/x")
        if limited.status_code == 429:
            break
    assert limited is not None
    explained = wait_until(lambda: found_decision(edge, limited.headers["x-request-id"]))
    assert explained["error"]["code"] == "rate_limited"
    assert [(one["rule"], one["allowed"], one["rate"]) for one in explained["limits"]] == [
        ("scarce/route", False, 0.5)
    ]
    line = (
        edge.config.read_text()
        .splitlines()
        .index("    filters: {limit: {rate: 0.5, burst: 3, limit_by: route}}")
    )
    assert explained["limits"][0]["configured_at"] == f"{edge.config}:{line + 1}"

    unavailable = edge.get("/gone")
    assert unavailable.status_code == 503
    explained = wait_until(lambda: found_decision(edge, unavailable.headers["x-request-id"]))
    assert explained["error"]["code"] == "upstream_unavailable"
    assert explained["route"]["id"] == "gone"
    assert explained["target"]["upstream"] == "gone"
    assert explained["outcome"].startswith("refused with 503 upstream_unavailable on the route gone")

    for _ in range(40):
        passed = found_decision(edge, edge.get("/api/web/x", **bearer(origin)).headers["x-request-id"])
        if passed is not None:
            break
    assert passed is not None
    assert (passed["status"], passed["outcome"]) == (200, "answered by upstream")
    assert [check["verdict"] for check in passed["checks"]] == ["passed", "passed"]
    assert passed["target"]["node"] == origin.url
    assert passed["ms"]["upstream"] > 0


def test_an_upstream_that_hangs_is_explained(edge: Any, origin: Any, wait_until: Any) -> None:
    """504: the read timeout of that upstream is 300 ms."""
    answer = edge.get("/slow/wait")

    assert answer.status_code == 504
    explained = wait_until(lambda: found_decision(edge, answer.headers["x-request-id"]))
    assert explained["error"]["code"] == "upstream_timeout"
    assert explained["target"]["node"] == origin.url


def test_a_limit_says_when_to_come_back(edge: Any) -> None:
    answers = [edge.get("/scarce/x") for _ in range(40)]

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["x-ratelimit-limit"] == "3"
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert int(refused.headers["retry-after"]) >= 1
    body = refused.json()
    assert (body["error"], body["retry_after"]) == (
        "Rate limit exceeded",
        int(refused.headers["retry-after"]),
    )


def test_the_sums_of_all_workers_equal_what_clients_counted(edge: Any, wait_until: Any) -> None:
    name = 'trivium_requests_total{consumer_kind="none",method="GET",route="open",status="200"}'
    before = edge.metrics().get(name, 0)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda n: edge.get(f"/open/{n}").status_code, range(200)))

    assert statuses == [200] * 200
    wait_until(lambda: edge.metrics()[name] == before + 200)
    samples = edge.metrics()
    count = samples['trivium_request_duration_seconds_count{route="open"}']
    assert samples['trivium_request_duration_seconds_bucket{le="+Inf",route="open"}'] == count
    assert samples["trivium_workers"] == 4


def test_labels_are_never_made_from_what_clients_send(edge: Any, origin: Any) -> None:
    """A98."""
    for number in range(5):
        edge.get(f"/open/path-{number}", user_agent=f"agent-{number}")
        edge.get(f"/unknown-{number}")

    text = "\n".join(edge.metrics())
    assert "path-" not in text
    assert "unknown-" not in text
    assert "agent-" not in text
    assert 'route="none"' in text


def test_each_request_is_one_line_of_the_log_without_its_secrets(
    edge: Any, origin: Any, wait_until: Any
) -> None:
    token = origin.token()
    answer = edge.get(f"/api/web/x?token={token}&page=2&api_key=s3cret", authorization=f"Bearer {token}")

    request_id = answer.headers["x-request-id"]
    lines = wait_until(lambda: [one for one in edge.access_lines() if one["request_id"] == request_id])
    assert len(lines) == 1
    line = lines[0]
    assert (line["route"], line["status"], line["consumer"], line["subject"]) == ("web", 200, "web-app", "u1")
    assert line["query"] == "token=REDACTED&page=2&api_key=REDACTED"
    whole = json.dumps(line)
    assert token not in whole
    assert "s3cret" not in whole


def test_a_request_cannot_forge_a_line_of_the_log(edge: Any, wait_until: Any) -> None:
    """A101: what a client sends stays inside of its JSON string."""
    with socket.create_connection(("127.0.0.1", edge.ports["proxy"])) as sock:
        sock.sendall(
            b'GET /open/%0a{"level":"error"}%1b[31m HTTP/1.1\r\nHost: h\r\n'
            b'User-Agent: x\x1b[31m"}{"status":500}\r\nConnection: close\r\n\r\n'
        )
        sock.settimeout(10)
        while sock.recv(65536):
            pass

    wait_until(
        lambda: any(
            "x\x1b" in line.get("user_agent", "") or line["status"] == 400 for line in edge.access_lines()
        )
    )
    assert all(raw.startswith(b'{"time"') and raw.endswith(b"}\n") for raw in edge.output)
    assert not any(b"\x1b" in raw for raw in edge.output)


def test_the_client_that_names_itself_is_counted_by_name_and_version(edge: Any, wait_until: Any) -> None:
    """F51."""
    edge.get("/open/x", apollographql_client_name="shop-ios", apollographql_client_version="4.2.0")

    wait_until(
        lambda: edge.metrics().get('trivium_client_requests_total{client="shop-ios",version="4.2.0"}', 0) >= 1
    )
