"""Response schemas for OpenAPI out of msgspec Structs, so that handlers can return ready bytes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI

from trivium_common.errors import PROBLEM_MEDIA_TYPE

_REF_TEMPLATE = "#/components/schemas/{name}"


class Problem(msgspec.Struct, omit_defaults=True):
    """What every error looks like (RFC 9457). `code` is stable; docs/errors.md lists the codes."""

    type: str
    title: str
    status: int
    code: str
    instance: str
    detail: str | None = None
    retry_after: int | None = None


def describe_answer(type: type, description: str, *, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers `type`; `create_app(answers=[type])` publishes its schema."""
    ref = _REF_TEMPLATE.format(name=type.__name__)
    problem = _REF_TEMPLATE.format(name=Problem.__name__)
    return {
        status: {"description": description, "content": {"application/json": {"schema": {"$ref": ref}}}},
        "default": {
            "description": "A problem document",
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": problem}}},
        },
    }


def publish_schemas(app: FastAPI, types: Sequence[type]) -> None:
    """Add the JSON schemas of `types` and of Problem to the app's OpenAPI document, fit for generators of clients."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        is_first = app.openapi_schema is None
        document = build()
        if is_first:
            _, schemas = msgspec.json.schema_components([*types, Problem], ref_template=_REF_TEMPLATE)
            published = document.setdefault("components", {}).setdefault("schemas", {})
            # A Struct that leaves its defaults out never sends a null; of others null is the truth.
            without_nulls = _find_trimmed([*types, Problem])
            _drop_nulls([schema for name, schema in schemas.items() if name in without_nulls])
            published.update(schemas)
            _drop_framework_errors(document)
            _drop_nulls(_find_parameters(document))
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it


def _find_trimmed(types: Sequence[type]) -> set[str]:
    """The names of all Structs in `types` that leave members out when they have their default."""
    found: set[str] = set()
    waiting: list[object] = list(msgspec.inspect.multi_type_info(types))
    seen: set[type] = set()
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType) and info.cls not in seen:
            seen.add(info.cls)
            if info.cls.__struct_config__.omit_defaults:
                found.add(info.cls.__name__)
            waiting += [field.type for field in info.fields]
        for name in ("item_type", "type", "value_type"):
            waiting += [getattr(info, name)] if hasattr(info, name) else []
        waiting += list(getattr(info, "types", ()))
    return found


def _find_operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    paths = document.get("paths", {}).values()
    return [operation for path in paths for operation in path.values() if isinstance(operation, dict)]


def _find_parameters(document: dict[str, Any]) -> list[Any]:
    return [operation.get("parameters", []) for operation in _find_operations(document)]


def _drop_framework_errors(document: dict[str, Any]) -> None:
    """The framework announces its own error bodies, which nobody ever sees: ours are problem documents."""
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    for operation in _find_operations(document):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]


def _drop_nulls(node: Any) -> None:
    """`anyOf: [X, null]` becomes X: an optional member is left out, and generators make a mess of null."""
    if isinstance(node, list):
        for item in node:
            _drop_nulls(item)
    elif isinstance(node, dict):
        kinds = node.get("anyOf")
        if isinstance(kinds, list) and {"type": "null"} in kinds:
            kinds.remove({"type": "null"})
            if len(kinds) == 1:
                del node["anyOf"]
                node.update({**kinds[0], **node})
            if node.get("default", ...) is None:
                del node["default"]
        for item in node.values():
            _drop_nulls(item)
