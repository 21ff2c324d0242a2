"""Response schemas for OpenAPI out of msgspec Structs, so that handlers can return ready bytes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI

from trivium_common.errors import PROBLEM_MEDIA_TYPE

_REF_TEMPLATE = "#/components/schemas/{name}"


class Problem(msgspec.Struct):
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
    """Add the JSON schemas of `types` and of Problem to the app's OpenAPI document."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        is_first = app.openapi_schema is None
        document = build()
        if is_first:
            _, schemas = msgspec.json.schema_components([*types, Problem], ref_template=_REF_TEMPLATE)
            document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it
