"""YAML text to a tree of values that know their line and column.

The scalars of YAML 1.2's core schema: only `true` and `false` are truth values, so that a country code
`no` or a mode `off` stays a text. Duplicate keys are refused, aliases and merge keys (`<<`) are followed.
"""

import re

import yaml

from trivium_edge.config.interpolation import Interpolator
from trivium_edge.config.positions import Fault, Node, Position, Scalar

_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_BASED_INT = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_STANDARD_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "map", "seq"))
_MAX_VALUES = 500_000


def read_tree(text: str, file: str, interpolator: Interpolator) -> tuple[Node | None, list[Fault]]:
    """The tree of one document and all that is wrong with it; no tree when it is no YAML at all."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
        return None, [Fault(at, "", f"this is not YAML: {_explain(error, text)}")]
    except yaml.YAMLError as error:
        return None, [Fault(Position(file), "", f"this is not YAML: {error}")]
    builder = _TreeBuilder(file, interpolator)
    if root is None:
        return None, [Fault(Position(file), "", "the file is empty")]
    return builder.build(root, None, ""), builder.faults


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    """The parser's problem in words that say what to do; its own words where we know no better."""
    problem, mark = error.problem or "it cannot be read", error.problem_mark
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if "cannot start any token" in problem and line and "\t" in line[0]:
        return "found a tab, expected spaces: YAML indents with spaces only"
    if "mapping values are not allowed" in problem:
        return "found a `:` where no key may stand; is the line indented like its neighbours, or does a text need quotes?"
    if "undefined alias" in problem:
        return "the alias names nothing: its anchor (`&name`) must come before it"
    if "expected ',' or" in problem and error.context_mark:
        opened = f"line {error.context_mark.line + 1}, column {error.context_mark.column + 1}"
        return f"the bracket of {opened} is not closed; a text with , [ ] {{ or }} needs quotes inside of brackets"
    if "unexpected end of stream" in problem and error.context_mark:
        return f"the quote of line {error.context_mark.line + 1} is not closed"
    if "single document" in (error.context or ""):
        return "found a second document (`---`), expected one"
    return f"{error.context}, {problem}" if error.context else problem


class _TreeBuilder:
    def __init__(self, file: str, interpolator: Interpolator) -> None:
        self._file = file
        self._interpolator = interpolator
        self._open: set[int] = set()
        self._values = 0
        self.faults: list[Fault] = []

    def build(self, node: yaml.Node, key_at: Position | None, setting: str) -> Node:
        """The tree below `node`; faults are collected, and a faulty value becomes null."""
        at = self._position(node)
        self._values += 1
        if id(node) in self._open:
            return self._fault(at, key_at, setting, "this alias stands inside of what it names")
        if self._values > _MAX_VALUES:
            if self._values == _MAX_VALUES + 1:
                return self._fault(
                    at, key_at, setting, f"more than {_MAX_VALUES} values; are aliases nested?"
                )
            return Node(None, at, key_at)
        if node.tag not in _STANDARD_TAGS:
            return self._fault(at, key_at, setting, f"the tag `{node.tag}` is not supported; leave it out")
        if isinstance(node, yaml.ScalarNode):
            return self._build_scalar(node, at, key_at, setting)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return Node(self._build_mapping(node, setting), at, key_at)
            items = [self.build(child, None, f"{setting}[{i}]") for i, child in enumerate(node.value)]
            return Node(items, at, key_at)
        finally:
            self._open.discard(id(node))

    def _build_mapping(self, node: yaml.MappingNode, setting: str) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key_at = self._position(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._fault(key_at, None, setting, "found a list or mapping as a key, expected a name")
                continue
            key = key_node.value
            below = f"{setting}.{key}" if setting else key
            if key == "<<" and not key_node.style:
                merged.update(self._build_merge(value_node, key_at, below))
            elif key in entries:
                first = entries[key].key_at
                place = f"line {first.line}" if first else "above"
                self._fault(key_at, None, below, f"the key `{key}` was given before, at {place}")
            else:
                entries[key] = self.build(value_node, key_at, below)
        return {**merged, **entries} if merged else entries

    def _build_merge(self, node: yaml.Node, key_at: Position, setting: str) -> dict[str, Node]:
        built = self.build(node, key_at, setting)
        sources = built.value if isinstance(built.value, list) else [built]
        merged: dict[str, Node] = {}
        # The first source that has a key wins (YAML merge key, yaml.org/type/merge.html).
        for source in reversed(sources):
            if isinstance(source.value, dict):
                merged.update(source.value)
            else:
                self._fault(source.at, None, setting, "expected a mapping, or a list of mappings, to merge")
        return merged

    def _build_scalar(
        self, node: yaml.ScalarNode, at: Position, key_at: Position | None, setting: str
    ) -> Node:
        is_plain = not node.style
        text: str = node.value
        if "${" not in text:
            return Node(_resolve(text) if is_plain else text, at, key_at)
        is_one_line = node.start_mark.line == node.end_mark.line
        column = at.column + (0 if is_plain else 1)
        found = self._interpolator.fill(text)
        for offset, message in found.problems:
            where = Position(at.file, at.line, column + offset) if is_one_line else at
            self.faults.append(Fault(where, setting, message))
        value = None if is_plain and not found.text else found.text
        return Node(value, at, key_at, found.references)

    def _position(self, node: yaml.Node) -> Position:
        return Position(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _fault(self, at: Position, key_at: Position | None, setting: str, message: str) -> Node:
        self.faults.append(Fault(at, setting, message))
        return Node(None, at, key_at)


def _resolve(text: str) -> Scalar:
    """A plain scalar's value by YAML 1.2 §10.3 (core schema)."""
    if _NULL.fullmatch(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED_INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
