"""Faults of our own code are logged and never shown."""

import httpx
import strawberry

from trivium_common.app.testing import serve_app
from trivium_web.endpoint.documents import DocumentPolicy, Documents
from trivium_web.endpoint.http import GraphQLEndpoint
from trivium_web.endpoint.limits import OperationLimits
from trivium_web.schema import get_executable


@strawberry.type
class Query:
    @strawberry.field
    async def broken(self) -> str | None:
        raise ZeroDivisionError("secret of table users")

    @strawberry.field
    async def sound(self) -> str:
        return "sound"

    @strawberry.field
    async def absent(self) -> str:
        return None  # type: ignore[return-value]


async def test_a_bug_in_a_resolver_is_masked_logged_and_leaves_the_other_fields(caplog) -> None:
    schema = get_executable(strawberry.Schema(Query))
    documents = Documents(schema, DocumentPolicy(OperationLimits(), is_schema_hidden=False))
    endpoint = GraphQLEndpoint(schema, documents, lambda scope: None)

    async with serve_app(endpoint) as url, httpx.AsyncClient(base_url=url, trust_env=False) as client:
        partial = await client.post("/", json={"query": "{ broken sound }"})
        nothing = await client.post("/", json={"query": "{ absent sound }"})

    assert partial.json()["data"] == {"broken": None, "sound": "sound"}
    assert partial.json()["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert partial.headers["x-completeness"] == "partial"
    assert nothing.json()["data"] is None
    assert nothing.json()["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in partial.text
    assert "secret of table users" in caplog.text
