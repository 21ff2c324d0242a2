"""GraphQL errors as clients see them: stable `extensions.code`, the request id, nothing of our insides."""

import logging
from collections.abc import Iterable, Sequence

from graphql import GraphQLError

from trivium_common.errors import InternalError, OurFault, TriviumError
from trivium_common.observability.context import current_request_id

log = logging.getLogger(__name__)

GraphQLErrorDict = dict[str, object]


def render_fault(error: TriviumError) -> GraphQLErrorDict:
    """A refusal of the whole request."""
    return {"message": _message_of(error), "extensions": _extensions_of(error)}


def render_document_errors(errors: Iterable[GraphQLError], code: str) -> list[GraphQLErrorDict]:
    """Syntax, validation and variable errors: all the caller's, shown as they are."""
    return [
        _render(error, error.message, {"code": code, "requestId": current_request_id()}) for error in errors
    ]


def render_field_errors(errors: Iterable[GraphQLError]) -> list[GraphQLErrorDict]:
    """Errors of resolvers; what is not in our tree is a bug and becomes INTERNAL_ERROR."""
    return [_render_field_error(error) for error in errors]


def is_partial(errors: Sequence[GraphQLError]) -> bool:
    """Whether something of ours or an upstream's failed, so that the data lacks what it could have had."""
    return any(not _is_callers_fault(error) for error in errors)


def _is_callers_fault(error: GraphQLError) -> bool:
    cause = error.original_error
    return isinstance(cause, TriviumError) and not isinstance(cause, OurFault)


def _render_field_error(error: GraphQLError) -> GraphQLErrorDict:
    cause = error.original_error
    if not isinstance(cause, TriviumError):
        log.error("a resolver failed", exc_info=cause or error, extra={"path": _path_of(error)})
        cause = InternalError()
    elif isinstance(cause, OurFault):
        log.warning(
            "a field failed", extra={"path": _path_of(error), "code": cause.code, "detail": cause.detail}
        )
    return _render(error, _message_of(cause), _extensions_of(cause))


def _render(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLErrorDict:
    rendered: GraphQLErrorDict = {"message": message}
    if error.locations:
        rendered["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        rendered["path"] = error.path
    rendered["extensions"] = extensions
    return rendered


def _message_of(error: TriviumError) -> str:
    return error.detail if error.is_detail_public and error.detail else error.title


def _extensions_of(error: TriviumError) -> dict[str, object]:
    extensions: dict[str, object] = {
        "code": error.code.upper(),
        "requestId": current_request_id(),
        **error.extensions,
    }
    if error.retry_after_s is not None:
        extensions["retryAfter"] = round(error.retry_after_s, 1)
    return extensions


def _path_of(error: GraphQLError) -> str:
    return ".".join(map(str, error.path or ()))
