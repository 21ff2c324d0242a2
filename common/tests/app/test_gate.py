"""What happens to every request of a BFF: identity, ids, deadline, problem documents."""

import base64
import json

import httpx
import pytest
from joserfc.jwk import OKPKey

from trivium_common.app.testing import edge_headers
from trivium_common.auth.edge_identity import EdgeIdentitySigner

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def forge_with_another_key() -> str:
    stranger = OKPKey.generate_key("Ed25519", parameters={"kid": "development"})
    return EdgeIdentitySigner(stranger).sign(subject="u1", consumer="test", kind="sample", audience="sample")


def alter_subject(token: str) -> str:
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["sub"] = "u2"
    altered = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{altered}.{signature}"


GOOD = edge_headers("sample", "u1")["x-edge-identity"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-edge-identity": ""},
        {"x-edge-identity": "not.a.token"},
        {"x-edge-identity": forge_with_another_key()},
        {"x-edge-identity": alter_subject(GOOD)},
        {"x-edge-identity": "a" * 10_000},
        edge_headers("web", "u1"),
        edge_headers("sample", "u1", lifetime_s=-60),
        {"x-user-id": "u1", "authorization": f"Bearer {GOOD}"},
    ],
    ids=["missing", "empty", "garbage", "forged", "altered", "huge", "audience", "expired", "plain headers"],
)
async def test_a_request_without_a_valid_edge_identity_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.get("/seen", headers={**headers, "x-request-id": "r-1"})

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "edge_identity_required"
    assert response.json()["instance"] == "r-1"


async def test_the_handler_sees_the_caller_the_ids_and_a_shorter_deadline(client: httpx.AsyncClient) -> None:
    headers = edge_headers("sample", "u1", **{"x-request-id": "r-7", "traceparent": TRACEPARENT})

    seen = (await client.get("/seen", headers={**headers, "x-request-timeout-ms": "2000"})).json()
    capped = (await client.get("/seen", headers={**headers, "x-request-timeout-ms": "99999999"})).json()
    unset = (await client.get("/seen", headers=headers)).json()

    assert (seen["subject"], seen["request_id"], seen["traceparent"]) == ("u1", "r-7", TRACEPARENT)
    assert 1.0 < seen["remaining_s"] < 2.0
    assert 3.0 < capped["remaining_s"] < 5.0
    assert 3.0 < unset["remaining_s"] < 5.0


async def test_ids_that_could_forge_a_log_line_are_replaced(client: httpx.AsyncClient) -> None:
    headers = edge_headers("sample", "u1", **{"x-request-id": 'a "b"', "traceparent": "00-zz"})

    seen = (await client.get("/seen", headers=headers)).json()

    assert len(seen["request_id"]) == 32
    assert seen["traceparent"] is None


@pytest.mark.parametrize(
    ("what", "status", "code", "origin", "retry_after"),
    [
        ("failed", 502, "upstream_failed", "upstream", None),
        ("away", 503, "upstream_unavailable", "upstream", "4"),
        ("full", 503, "overloaded", "overload", "1"),
        ("bug", 500, "internal_error", None, None),
    ],
)
async def test_a_failure_is_masked_and_only_deliberate_ones_are_marked(
    client: httpx.AsyncClient, what: str, status: int, code: str, origin: str | None, retry_after: str | None
) -> None:
    response = await client.get(f"/raise/{what}", headers=edge_headers("sample", "u1"))

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers.get("x-trivium-origin") == origin
    assert response.headers.get("retry-after") == retry_after
    assert response.headers["cache-control"] == "no-store"
    assert "secret" not in response.text


async def test_a_handler_that_outlives_the_deadline_is_ended_with_504(client: httpx.AsyncClient) -> None:
    response = await client.get(
        "/hang", headers=edge_headers("sample", "u1", **{"x-request-timeout-ms": "100"})
    )

    assert response.status_code == 504
    assert response.json()["code"] == "upstream_timeout"
    assert response.headers["x-trivium-origin"] == "upstream"


async def test_the_frameworks_errors_are_problem_documents_too(client: httpx.AsyncClient) -> None:
    headers = edge_headers("sample", "u1")

    unknown = await client.get("/unknown", headers=headers)
    method = await client.post("/seen", headers=headers)
    typed = await client.get("/typed?limit=many", headers=headers)

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"], method.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET",
    )
    assert (typed.status_code, typed.json()["code"]) == (422, "invalid_input")
    assert typed.json()["errors"][0]["field"] == "query.limit"


async def test_a_body_beyond_its_bound_is_refused_declared_or_not(client: httpx.AsyncClient) -> None:
    async def endless() -> object:
        for _ in range(20):
            yield b"x" * 100

    headers = edge_headers("sample", "u1")
    fits = await client.post("/body", headers=headers, content=b"x" * 1000)
    declared = await client.post("/body", headers=headers, content=b"x" * 1001)
    chunked = await client.post("/body", headers=headers, content=endless())

    assert fits.json() == {"size": 1000}
    assert (declared.status_code, chunked.status_code) == (413, 413)


async def test_aggregated_answers_say_whether_they_are_complete(client: httpx.AsyncClient) -> None:
    headers = edge_headers("sample", "u1")

    complete = await client.get("/partial", headers=headers)
    partial = await client.get("/partial?away=orders", headers=headers)

    assert complete.headers["x-completeness"] == "complete"
    assert complete.headers["cache-control"] == "private"
    assert partial.headers["x-completeness"] == "partial"
    assert partial.headers["cache-control"] == "no-store"


async def test_health_needs_no_identity_and_shows_the_breakers(client: httpx.AsyncClient) -> None:
    live, ready, health = [await client.get(path) for path in ("/livez", "/readyz", "/health")]

    assert live.json() == {"status": "alive"}
    assert ready.json() == health.json() == {"status": "ready", "checks": {"orders": {"breaker": "closed"}}}


async def test_the_openapi_document_has_the_schemas_of_structs(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    answers = document["paths"]["/seen"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Seen"}
    assert document["components"]["schemas"]["Seen"]["required"] == [
        "subject",
        "request_id",
        "traceparent",
        "remaining_s",
    ]
    assert "Problem" in document["components"]["schemas"]
    assert "/livez" not in document["paths"]
