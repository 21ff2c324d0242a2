"""The JSON Schema of gateway.yaml, for editors."""

from typing import Any

import orjson

from trivium_edge.config.models import GatewayConfig

_REFERENCE = {"type": "string", "pattern": r"\$\{"}


def render_schema() -> bytes:
    """The schema as indented JSON; every scalar may also be a text with a `${...}` in it."""
    schema = GatewayConfig.model_json_schema(by_alias=True, mode="validation")
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Trivium gateway.yaml"
    return orjson.dumps(_admit_references(schema), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _admit_references(part: Any) -> Any:
    if isinstance(part, list):
        return [_admit_references(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    admitted = {key: _admit_references(value) for key, value in part.items()}
    if part.get("type") in ("integer", "number", "boolean", "array") or ("enum" in part and "type" in part):
        about = {key: admitted.pop(key) for key in ("description", "default", "title") if key in admitted}
        return {**about, "anyOf": [admitted, _REFERENCE]}
    return admitted
