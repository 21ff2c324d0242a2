"""What the GraphQL subgraphs share: a federation schema that mistrusts representations, and its HTTP endpoint."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, cast

import strawberry
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry import federation
from strawberry.asgi import GraphQL
from strawberry.extensions import MaskErrors, ParserCache, ValidationCache
from strawberry.federation.schema import FederationAny
from strawberry.types import ExecutionContext, Info
from typing_extensions import override

from trivium_demo.problems import Problem, problem_response

log = logging.getLogger(__name__)

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., object])

MAX_REPRESENTATIONS = 1_000
MAX_FIRST = 100
_MAX_BODY_BYTES = 1_048_576
_CACHED_DOCUMENTS = 256


class Entity(Protocol):
    """A type with `@key(fields: "id")`."""

    @classmethod
    def resolve_reference(cls, info: Info, id: str, /) -> Any:
        """The entity, an awaitable of it, or None where there is none with this id."""


class SubgraphSchema(federation.Schema):
    """A federation schema in which a wrong representation spoils its own place in `_entities` and no other.

    Strawberry's resolver lets an unknown type name or key fail the whole answer, with a Python name in the message.
    """

    def __init__(self, query: type, mutation: type, entities: Mapping[str, type[Entity]]) -> None:
        self._entities = entities
        super().__init__(
            query=query,
            mutation=mutation,
            types=list(entities.values()),
            extensions=[
                lambda: ParserCache(maxsize=_CACHED_DOCUMENTS),
                lambda: ValidationCache(maxsize=_CACHED_DOCUMENTS),
                lambda: MaskErrors(should_mask_error=_is_unexpected),
            ],
            federation_version="2.7",
        )

    @override
    def entities_resolver(self, info: Info, representations: list[FederationAny]) -> list[FederationAny]:
        """One entity, awaitable, None or error for each representation (Apollo Federation, `Query._entities`)."""
        if len(representations) > MAX_REPRESENTATIONS:
            raise bad_input(f"at most {MAX_REPRESENTATIONS} representations can be resolved at once")
        return [self._resolve(info, representation) for representation in representations]

    def _resolve(self, info: Info, representation: object) -> Any:
        if not isinstance(representation, dict):
            return bad_input("a representation must be an object")
        type_name, entity_id = representation.get("__typename"), representation.get("id")
        entity = self._entities.get(type_name) if isinstance(type_name, str) else None
        if entity is None:
            return bad_input(
                "a representation's __typename must be one of " + ", ".join(sorted(self._entities))
            )
        if not isinstance(entity_id, str):
            return bad_input(f"a representation of {type_name} must have the key id, a string")
        return entity.resolve_reference(info, entity_id)

    @override
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log what is our fault; what is the caller's stands in the answer."""
        for error in errors:
            if _is_unexpected(error):
                log.error("a resolver failed", exc_info=error.original_error)


def field(description: str) -> Callable[[F], F]:
    """`strawberry.field` with a description, for mutations too; the resolver keeps its type."""
    return cast("Callable[[F], F]", strawberry.field(description=description))


def bad_input(message: str) -> GraphQLError:
    """An error that is the caller's fault and may be shown."""
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def require_first(first: int) -> int:
    """The size of a list, within bounds.

    Raises: GraphQLError.
    """
    if not 1 <= first <= MAX_FIRST:
        raise bad_input(f"first must be from 1 to {MAX_FIRST}")
    return first


def _is_unexpected(error: GraphQLError) -> bool:
    return error.original_error is not None and not isinstance(error.original_error, GraphQLError)


class _Endpoint(GraphQL[C, None], Generic[C]):
    def __init__(self, schema: SubgraphSchema, create_context: Callable[[], C]) -> None:
        super().__init__(schema, graphql_ide=None, subscription_protocols=())
        self._create_context = create_context

    @override
    def decode_json(self, data: str | bytes) -> object:
        """A request's JSON; what is nested too deeply or no object at all is refused like what is no JSON."""
        try:
            document = super().decode_json(data)
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", "", 0) from None
        if not isinstance(document, dict | list):
            raise json.JSONDecodeError("expected an object", "", 0)
        return document

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> C:
        """What the resolvers of one request share: fresh DataLoaders."""
        return self._create_context()


def create_subgraph_app(schema: SubgraphSchema, create_context: Callable[[], C]) -> Starlette:
    """The application that answers `/graphql`; `create_context` is called for each request."""
    return Starlette(
        routes=[Route("/graphql", _Endpoint(schema, create_context))],
        middleware=[Middleware(RequestBodyLimitMiddleware, max_body_size=_MAX_BODY_BYTES)],
        exception_handlers={404: _answer_not_found},
    )


async def _answer_not_found(_request: Request, error: Exception) -> Response:
    detail = cast("HTTPException", error).detail
    return problem_response(Problem(404, "not_found", f"{detail}: GraphQL is answered on /graphql"))
