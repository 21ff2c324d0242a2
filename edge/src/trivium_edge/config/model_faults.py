"""Pydantic's complaints, told as faults with a place and in our own words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from trivium_edge.config.positions import Fault, Node, PathPart, spell_path
from trivium_edge.config.wording import describe_found, did_you_mean, list_known

_EXPECTED_TYPE = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}


def find_model_faults(error: ValidationError, tree: Node, model: type[BaseModel]) -> Iterator[Fault]:
    """One fault for each complaint, at the place of the value or of the key it is about."""
    for detail in error.errors(include_url=False, include_context=True):
        path = _plain_path(detail["loc"], tree)
        # Pydantic counts the entries that were valid: a list that is long enough has other faults.
        lowest = detail.get("ctx", {}).get("min_length", 0)
        value = tree.nearest(path).value
        if detail["type"] == "too_short" and isinstance(value, list | dict) and len(value) >= lowest:
            continue
        yield _tell(detail, path, tree, model)


def _plain_path(loc: Sequence[PathPart], tree: Node) -> list[PathPart]:
    """`loc` without the parts that pydantic adds for keys of mappings (`[key]`) and for unions."""
    path: list[PathPart] = []
    node: Node | None = tree
    for part in loc:
        if part == "[key]":
            continue
        if part == 0 and node is not None and not isinstance(node.value, list):
            continue
        node = node.child(part) if node is not None else None
        path.append(part)
    return path


def _tell(detail: ErrorDetails, path: list[PathPart], tree: Node, model: type[BaseModel]) -> Fault:
    node = tree.nearest(path)
    setting = spell_path(path)
    kind = detail["type"]
    last = path[-1] if path else ""
    if kind == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        message = f"unknown key `{last}`, expected one of {list_known(known)}{did_you_mean(str(last), known)}"
        return Fault(node.key_at or node.at, setting, message)
    if kind == "missing":
        return Fault(node.at, setting, f"`{last}` is missing{_explain_field(model, path)}")
    is_key = "[key]" in detail["loc"]
    at = node.key_at if is_key and node.key_at else node.at
    found = f"the key `{last}`" if is_key else describe_found(node, str(last))
    return Fault(at, setting, _explain(kind, found, node, detail.get("ctx", {})))


def _explain(kind: str, found: str, node: Node, context: Mapping[str, Any]) -> str:
    if kind in _EXPECTED_TYPE:
        is_quoted_number = isinstance(node.value, str) and not node.references and node.value.isdecimal()
        hint = "; leave out the quotes" if is_quoted_number else ""
        return f"found {found}, expected {_EXPECTED_TYPE[kind]}{hint}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        is_duration = isinstance(node.value, str) and node.value[-1:] in ("s", "m", "h", "d")
        return f"found {found}, expected {words} {context[name]:g}{' s' if is_duration else ''}"
    if kind == "value_error":
        told = str(context["error"])
        return f"found {found}, {told}" if told.startswith("expected") else told
    if kind in ("literal_error", "enum"):
        known = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        guess = ""
        if isinstance(node.value, str) and not node.references:
            guess = "; leave out the quotes" if node.value in known else did_you_mean(node.value, known)
        return f"found {found}, expected {'one of ' if len(known) > 1 else ''}{list_known(known)}{guess}"
    if kind in ("too_short", "string_too_short"):
        return f"found {found}, expected at least {_count(context['min_length'], kind)}"
    if kind in ("too_long", "string_too_long"):
        return f"found {found}, expected at most {_count(context['max_length'], kind)}"
    return f"found {found}, which is not valid here"


def _count(number: int, kind: str) -> str:
    one, many = ("character", "characters") if kind.startswith("string") else ("entry", "entries")
    return f"{number} {one if number == 1 else many}"


def _model_within(annotation: object) -> type[BaseModel] | None:
    """The model somewhere inside of an annotation such as `tuple[Model, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if (found := _model_within(argument)) is not None:
            return found
    return None


def _fields_by_key(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], path: Sequence[PathPart]) -> type[BaseModel] | None:
    found: type[BaseModel] | None = model
    is_inside_mapping = False
    for part in path:
        if found is None or isinstance(part, int) or is_inside_mapping:
            is_inside_mapping = False
            continue
        field = _fields_by_key(found).get(part)
        if field is None:
            return None
        found = _model_within(field.annotation)
        is_inside_mapping = str(field.annotation).startswith("dict[")
    return found


def _known_keys(model: type[BaseModel], path: Sequence[PathPart]) -> list[str]:
    found = _model_at(model, path)
    return list(_fields_by_key(found)) if found is not None else []


def _explain_field(model: type[BaseModel], path: Sequence[PathPart]) -> str:
    owner = _model_at(model, path[:-1])
    field = _fields_by_key(owner).get(str(path[-1])) if owner is not None else None
    return f" ({field.description.rstrip('.')})" if field is not None and field.description else ""
