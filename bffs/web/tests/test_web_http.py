"""GraphQL over HTTP: methods, media types, malformed requests, limits, identity."""

import json
import time
from typing import Any

import httpx
import pytest

from trivium_common.app.testing import FakeUpstreams, edge_headers
from trivium_web.endpoint.limits import OperationLimits

GRAPHQL = "application/graphql-response+json"


def code_of(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


async def post(web: httpx.AsyncClient, query: Any, **headers: str) -> httpx.Response:
    return await web.post("/graphql", json={"query": query}, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-edge-identity": "forged"},
        edge_headers("mobile", "u1"),
        edge_headers("web", "u1", lifetime_s=-60),
    ],
    ids=["missing", "forged", "audience", "expired"],
)
async def test_without_a_valid_edge_identity_nothing_is_answered(
    web: httpx.AsyncClient, upstreams: FakeUpstreams, headers: dict[str, str]
) -> None:
    del web.headers["x-edge-identity"]

    response = await web.post("/graphql", json={"query": "{ me { id } }"}, headers=headers)

    assert (response.status_code, response.json()["code"]) == (401, "edge_identity_required")
    assert upstreams.calls == []


async def test_queries_may_come_by_get(web: httpx.AsyncClient) -> None:
    parameters = {"query": "query ($id: ID!) { user(id: $id) { name } }", "variables": '{"id": "u2"}'}

    response = await web.get("/graphql", params=parameters)

    assert response.json() == {"data": {"user": {"name": "User 2"}}}


@pytest.mark.parametrize(
    ("accept", "media_type", "status"),
    [
        (None, "application/json", 200),
        ("*/*", "application/json", 200),
        ("application/json", "application/json", 200),
        (GRAPHQL, GRAPHQL, 400),
        (f"{GRAPHQL}; charset=utf-8, application/json;q=0.9", GRAPHQL, 400),
        (f"{GRAPHQL};q=0, application/json", "application/json", 200),
        ("text/html", "application/json", 406),
    ],
)
async def test_the_answers_media_type_decides_the_status_of_an_invalid_document(
    web: httpx.AsyncClient, accept: str | None, media_type: str, status: int
) -> None:
    if accept is None:
        del web.headers["accept"]
    response = await post(web, "{ nonsense }", **({"accept": accept} if accept else {}))

    assert response.status_code == status
    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert "data" not in response.json()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "BAD_REQUEST"),
        (b"[]", "application/json", 400, "BAD_REQUEST"),
        (b"{}", "application/json", 400, "BAD_REQUEST"),
        (b'{"query": 1}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "variables": []}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "operationName": 1}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }", "extensions": 1}', "application/json", 400, "BAD_REQUEST"),
        (b'[{"query": "{ me { id } }"}]', "application/json", 400, "BAD_REQUEST"),
        (b'{"variables": ' + b'{"a":' * 10_000, "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ me { id } }"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ me { id } }"}', "multipart/form-data; boundary=x", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * 300_000, "application/json", 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_malformed_request_is_a_graphql_error_with_a_true_status(
    web: httpx.AsyncClient, body: bytes, content_type: str, status: int, code: str
) -> None:
    response = await web.post("/graphql", content=body, headers={"content-type": content_type})

    assert (response.status_code, code_of(response)) == (status, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { me { id } } query B { me { id } }", "BAD_USER_INPUT"),
        ("query ($id: ID!) { user(id: $id) { id } }", "BAD_USER_INPUT"),
        ("{" + "a{" * 1500, "GRAPHQL_PARSE_FAILED"),
    ],
    ids=["syntax", "empty", "field", "cycle", "operation", "variable", "deep"],
)
async def test_a_bad_document_is_refused_with_its_reason(
    web: httpx.AsyncClient, query: str, code: str
) -> None:
    response = await post(web, query)

    assert (response.status_code, code_of(response)) == (200, code)
    assert response.json()["errors"][0]["extensions"]["requestId"]


async def test_other_methods_are_refused(web: httpx.AsyncClient) -> None:
    response = await web.put("/graphql", json={"query": "{ me { id } }"})

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


LIMITS = OperationLimits()
DEEP = "{ me { orders { edges { node { user { orders { edges { node { user { orders { totalCount } } } } } } } } } } }"


@pytest.mark.parametrize(
    ("query", "limit"),
    [
        (DEEP, "depth"),
        (
            "{ ...A } fragment A on Query { me { orders { edges { node { ...B } } } } } fragment B on Order "
            "{ user { orders { edges { node { user { orders { totalCount } } } } } } }",
            "depth",
        ),
        ("{" + " ".join(f"a{i}: me {{ id }}" for i in range(31)) + "}", "aliases"),
        ("{" + " me { id } " * 21 + "}", "root fields"),
        ("{ ...A ...A }" + "fragment A on Query {" + " me { id } " * 11 + "}", "root fields"),
        ("{ me { id } }" + " " * 40_000, "characters"),
    ],
    ids=["depth", "through fragments", "aliases", "root fields", "spread twice", "characters"],
)
async def test_an_operation_that_is_too_large_is_refused_before_any_call(
    web: httpx.AsyncClient, upstreams: FakeUpstreams, query: str, limit: str
) -> None:
    response = await post(web, query)

    assert (response.status_code, code_of(response)) == (400, "GRAPHQL_LIMIT_EXCEEDED")
    extensions = response.json()["errors"][0]["extensions"]
    assert extensions["limit"] == limit
    assert extensions["value"] > extensions["maximum"]
    assert upstreams.calls == []


async def test_bombs_of_aliases_and_fragments_cost_next_to_nothing(web: httpx.AsyncClient) -> None:
    aliases = "{" + " ".join(f"a{i}:me{{id}}" for i in range(2000)) + "}"
    # Each fragment spreads the next one twice: 2 ** 60 fields when written out.
    fragments = "{ ...F0 }" + "".join(
        f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60)
    )
    started = time.process_time()

    refused = [
        await post(web, query) for query in (aliases, fragments + "fragment F60 on Query { me { id } }")
    ]

    assert [code_of(response) for response in refused] == ["GRAPHQL_PARSE_FAILED", "GRAPHQL_LIMIT_EXCEEDED"]
    assert time.process_time() - started < 1.0


async def test_introspection_is_there_for_developers(web: httpx.AsyncClient) -> None:
    from graphql import get_introspection_query

    response = await post(web, get_introspection_query())

    assert response.json()["data"]["__schema"]["queryType"]["name"] == "Query"


class TestProduction:
    """What a stranger learns about the schema in production: nothing."""

    @pytest.fixture
    def key(self):
        from joserfc.jwk import OKPKey

        return OKPKey.generate_key("Ed25519", parameters={"kid": "2026-11"})

    @pytest.fixture
    def settings(self, key, tmp_path) -> dict[str, Any]:
        from joserfc.jwk import KeySet

        jwks = tmp_path / "keys.json"
        jwks.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
        return {"env": "production", "edge_public_keys": str(jwks)}

    @pytest.fixture
    def identity(self, key) -> dict[str, str]:
        from trivium_common.auth.edge_identity import EdgeIdentitySigner

        token = EdgeIdentitySigner(key).sign(subject="u1", consumer="test", kind="web", audience="web")
        return {"x-edge-identity": token}

    @pytest.mark.parametrize(
        "query",
        ["{ __schema { types { name } } }", '{ x: __type(name: "User") { name } }', "{ mee { id } }"],
        ids=["schema", "aliased type", "suggestion"],
    )
    async def test_introspection_and_suggestions_are_off(self, web: httpx.AsyncClient, query: str) -> None:
        for response in (await post(web, query), await web.get("/graphql", params={"query": query})):
            assert code_of(response) == "GRAPHQL_VALIDATION_FAILED"
            assert "data" not in response.json()
            assert "Did you mean" not in response.text

    async def test_a_proper_query_is_answered(self, web: httpx.AsyncClient) -> None:
        assert (await post(web, "{ me { id __typename } }")).json() == {
            "data": {"me": {"id": "u1", "__typename": "User"}}
        }
