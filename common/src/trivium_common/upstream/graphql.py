"""Small GraphQL reads through the typed client, for BFFs that want a few fields of a subgraph.

One document, known when the code is written; the web BFF's federation is another matter and not used here.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from trivium_common.errors import UpstreamFailed
from trivium_common.upstream.client import Upstream

T = TypeVar("T")


class GraphQLError(msgspec.Struct, frozen=True):
    """An error as the subgraph words it; for the log only."""

    message: str


class GraphQLAnswer(msgspec.Struct, Generic[T], frozen=True):
    """What a GraphQL server answers."""

    data: T | None = None
    errors: list[GraphQLError] = []


async def query_graphql(
    upstream: Upstream,
    document: str,
    *,
    type: type[GraphQLAnswer[T]],
    variables: Mapping[str, object],
    timeout_s: float | None = None,
) -> T:
    """The data of `document`; `type` is `GraphQLAnswer[Data]` with a Struct of the selected fields.

    Raises: UpstreamFailed, when the answer has errors (parts of data beside them are not used),
    and everything that a call raises.
    """
    body = {"query": document, "variables": dict(variables)}
    answer = await upstream.post("/graphql", type=type, json=body, timeout_s=timeout_s)
    if answer.data is None or answer.errors:
        said = answer.errors[0].message if answer.errors else "no data"
        raise UpstreamFailed(f"{upstream.name}: GraphQL: {said[:200]}")
    return answer.data
