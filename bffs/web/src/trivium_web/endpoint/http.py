"""The GraphQL endpoint as an ASGI app: one operation in, one answer out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, OperationType, execute, get_operation_ast
from starlette.types import Receive, Scope, Send

from trivium_common.errors import CallerFault, MethodNotAllowed
from trivium_web.endpoint.documents import Documents, InvalidDocument
from trivium_web.endpoint.errors import (
    GraphQLErrorDict,
    is_partial,
    render_document_errors,
    render_fault,
    render_field_errors,
)
from trivium_web.endpoint.requests import (
    AnswerType,
    GraphQLRequest,
    choose_answer_type,
    read_request,
)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Answer:
    """`status` is the one of application/graphql-response+json; plain JSON says 200 to a bad document."""

    status: int
    body: dict[str, Any]
    is_document_fault: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class GraphQLEndpoint:
    """Answers GraphQL requests on one path.

    `make_context(scope)` makes what resolvers see as `info.context`, once for each request.
    """

    def __init__(
        self, schema: GraphQLSchema, documents: Documents, make_context: Callable[[Scope], object]
    ) -> None:
        self._schema = schema
        self._documents = documents
        self._make_context = make_context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer_type = AnswerType.JSON
        try:
            # 1. What the client takes decides how even a refusal looks.
            answer_type = choose_answer_type(scope)
            # 2. The operation: read, parsed, checked.
            request = await read_request(scope, receive)
            document = self._documents.find(request.query)
            _refuse_mutation_by_get(request, document)
            # 3. Its result.
            answer = await self._execute(scope, request, document)
        except InvalidDocument as error:
            answer = _refuse_document(render_document_errors(error.errors, error.code))
        except CallerFault as error:
            answer = _refuse(error)
        await _send(send, answer, answer_type)

    async def _execute(self, scope: Scope, request: GraphQLRequest, document: DocumentNode) -> _Answer:
        pending = execute(
            self._schema,
            document,
            context_value=self._make_context(scope),
            variable_values=dict(request.variables) if request.variables else None,
            operation_name=request.operation_name,
            hide_suggestions=self._documents.is_schema_hidden,
        )
        result = pending if isinstance(pending, ExecutionResult) else await pending
        return _build_answer(result)


def _refuse_mutation_by_get(request: GraphQLRequest, document: DocumentNode) -> None:
    if not request.is_get:
        return
    operation = get_operation_ast(document, request.operation_name)
    if operation is not None and operation.operation is not OperationType.QUERY:
        raise MethodNotAllowed("GET is for queries; send this operation by POST")


def _build_answer(result: ExecutionResult) -> _Answer:
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        # Execution has not begun: no such operation, or variables of another type.
        return _refuse_document(render_document_errors(errors, "BAD_USER_INPUT"))
    body: dict[str, Any] = {"data": result.data}
    partial = is_partial(errors)
    if errors:
        body["errors"] = render_field_errors(errors)
    headers = [
        (b"x-completeness", b"partial" if partial else b"complete"),
        (b"cache-control", b"no-store" if partial else b"private, no-cache"),
    ]
    return _Answer(200, body, headers=headers)


def _refuse_document(errors: list[GraphQLErrorDict]) -> _Answer:
    return _Answer(400, {"errors": errors}, is_document_fault=True)


def _refuse(error: CallerFault) -> _Answer:
    headers = [(b"allow", b"GET, POST")] if isinstance(error, MethodNotAllowed) else []
    return _Answer(error.status, {"errors": [render_fault(error)]}, headers=headers)


async def _send(send: Send, answer: _Answer, answer_type: AnswerType) -> None:
    body = orjson.dumps(answer.body)
    status = 200 if answer.is_document_fault and answer_type is AnswerType.JSON else answer.status
    headers = [
        (b"content-type", f"{answer_type}; charset=utf-8".encode()),
        (b"content-length", b"%d" % len(body)),
        (b"vary", b"accept"),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
