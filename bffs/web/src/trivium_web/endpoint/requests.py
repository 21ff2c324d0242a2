"""GraphQL requests as HTTP carries them: method, media types, parameters. https://graphql.github.io/graphql-over-http/"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

from trivium_common.app.body import read_body
from trivium_common.errors import BadRequest, CallerFault, MethodNotAllowed, UnsupportedMediaType

MAX_BODY_BYTES = 256 * 1024


class AnswerType(StrEnum):
    """The two media types of GraphQL answers. Under plain JSON a bad document still answers 200."""

    GRAPHQL = "application/graphql-response+json"
    JSON = "application/json"


class NotAcceptable(CallerFault):
    """The client accepts none of the media types that a GraphQL answer can have."""

    code = "not_acceptable"
    status = 406
    title = "GraphQL answers are application/graphql-response+json or application/json"


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to execute."""

    query: str
    variables: Mapping[str, object] | None
    operation_name: str | None
    is_get: bool


def choose_answer_type(scope: Scope) -> AnswerType:
    """The first acceptable media type in the client's own order.

    Raises: NotAcceptable.
    """
    accept = _header(scope, b"accept")
    if not accept:
        return AnswerType.JSON
    for part in accept.split(","):
        media_type, _, parameters = part.partition(";")
        name = media_type.strip().lower()
        if "q=0" in parameters.replace(" ", "").split(";"):
            continue
        if name == AnswerType.GRAPHQL:
            return AnswerType.GRAPHQL
        if name in (AnswerType.JSON, "application/*", "*/*"):
            return AnswerType.JSON
    raise NotAcceptable


async def read_request(scope: Scope, receive: Receive) -> GraphQLRequest:
    """The request of a POST body or a GET query string.

    Raises: MethodNotAllowed, UnsupportedMediaType, BadRequest, BodyTooLarge.
    """
    match scope["method"]:
        case "POST":
            media_type = _header(scope, b"content-type").partition(";")[0].strip().lower()
            if media_type != "application/json":
                raise UnsupportedMediaType("a GraphQL request is application/json")
            return _check_members(_parse_json(await read_body(scope, receive, MAX_BODY_BYTES)), is_get=False)
        case "GET":
            parameters: dict[str, object] = dict(parse_qsl(scope["query_string"].decode("latin-1")))
            for name in ("variables", "extensions"):
                if text := parameters.get(name):
                    parameters[name] = _parse_json(str(text).encode())
            return _check_members(parameters, is_get=True)
        case _:
            raise MethodNotAllowed("GraphQL takes POST, and GET for queries")


def _parse_json(text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"not JSON: {error}") from error


def _check_members(members: object, *, is_get: bool) -> GraphQLRequest:
    if not isinstance(members, dict):
        raise BadRequest("a GraphQL request is one JSON object; batches are not taken")
    query = members.get("query")
    variables = members.get("variables")
    operation_name = members.get("operationName")
    if not isinstance(query, str):
        raise BadRequest("`query` must be a string")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("`variables` must be an object")
    if operation_name is not None and not isinstance(operation_name, str):
        raise BadRequest("`operationName` must be a string")
    if not isinstance(members.get("extensions"), dict | None):
        raise BadRequest("`extensions` must be an object")
    return GraphQLRequest(query, variables, operation_name, is_get)


def _header(scope: Scope, wanted: bytes) -> str:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value, "latin-1")
    return ""
