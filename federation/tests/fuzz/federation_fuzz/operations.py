"""Random valid operations over a schema: aliases, fragments of every kind, variables, conditions, abstract types."""

import json
import random
import re
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    parse,
    validate,
)
from graphql.pyutils import Undefined

_MAX_DEPTH = 7
_ATTEMPTS = 40


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client sends."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None = None


def random_operation(schema: GraphQLSchema, rng: random.Random) -> Operation | None:
    """A valid operation, None where none was found within some attempts."""
    for _ in range(_ATTEMPTS):
        operation = _Writer(schema, rng).write()
        if not validate(schema, parse(operation.query), max_errors=1):
            return operation
    return None


def random_invalid_operation(schema: GraphQLSchema, rng: random.Random) -> Operation | None:
    """An operation that reads well but breaks a rule of validation, None where none was found within some attempts."""
    for _ in range(_ATTEMPTS):
        operation = _Writer(schema, rng).write()
        if rng.random() < 0.5:
            operation = _broken(operation, rng)
        try:
            is_invalid = bool(validate(schema, parse(operation.query), max_errors=1))
        except GraphQLError:
            continue
        if is_invalid:
            return operation
    return None


def _broken(operation: Operation, rng: random.Random) -> Operation:
    """One word of the text replaced by another one of it."""
    words = list(re.finditer(r"[$@]?[A-Za-z_]\w*", operation.query))
    target, source = rng.choice(words), rng.choice(words)
    text = operation.query[: target.start()] + source.group() + operation.query[target.end() :]
    return replace(operation, query=text)


@dataclass(slots=True)
class _Writer:
    """Writes one operation; remembers its variables, fragments and how much it may still select."""

    schema: GraphQLSchema
    rng: random.Random
    budget: int = 0
    richness: float = 0.0
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)  # name → type condition, text
    conditions: list[str] = field(default_factory=list)

    def write(self) -> Operation:
        """Query or mutation, sometimes with a second operation beside it."""
        rng = self.rng
        self.budget = rng.choice((4, 8, 15, 30))
        self.richness = rng.choice((0.0, 0.3, 1.0))
        root, keyword = self.schema.query_type, "query"
        if self.schema.mutation_type and rng.random() < 0.15:
            root, keyword = self.schema.mutation_type, "mutation"
        assert root
        body = self._selection(root, 0)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        named = rng.random() < 0.3
        text = f"{keyword} {'Main' if named or declared else ''}{declared} {body}"
        if keyword == "query" and text.startswith("query  {"):
            text = body
        texts = [text, *(f"fragment {n} on {t} {b}" for n, (t, b) in self.fragments.items())]
        if text.startswith(("query Main", "mutation Main")) and rng.random() < 0.1:
            texts.append("query Other { __typename }")
            return Operation("\n".join(texts), self.variables, "Main")
        rng.shuffle(texts)
        return Operation("\n".join(texts), self.variables)

    def _selection(self, parent: GraphQLNamedType, depth: int) -> str:
        rng = self.rng
        parts: list[str] = []
        wanted = rng.choice((1, 1, 2, 2, 3, 4)) + (1 if depth == 0 else 0)
        for _ in range(wanted):
            part = self._part(parent, depth)
            if part:
                parts.append(part)
        if not parts or self._chance(0.25):
            # An alias of its own: graphql-core overlooks that `__typename`, never null, conflicts with a nullable field.
            parts.insert(rng.randrange(len(parts) + 1), self._aliased("__typename", "kind"))
        if len(parts) > 1 and self._chance(0.1):
            parts.append(rng.choice(parts))
        return "{ " + " ".join(parts) + " }"

    def _part(self, parent: GraphQLNamedType, depth: int) -> str:
        rng = self.rng
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        is_abstract = not isinstance(parent, GraphQLObjectType)
        if depth < _MAX_DEPTH and (
            not fields or rng.random() < (0.5 if is_abstract else 0.18 * self.richness)
        ):
            return self._fragment(parent, depth)
        candidates = [
            f for f in fields.items() if self.budget > 0 or not is_composite_type(get_named_type(f[1].type))
        ]
        if not candidates or depth >= _MAX_DEPTH:
            leaves = [f for f in fields.items() if not is_composite_type(get_named_type(f[1].type))]
            if not leaves:
                return ""
            candidates = leaves
        if depth < 3 and self.budget > 4 and rng.random() < 0.6:
            deep = [f for f in candidates if is_composite_type(get_named_type(f[1].type))]
            candidates = deep or candidates
        name, definition = rng.choice(candidates)
        return self._field(name, definition, depth)

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        self.budget -= 1
        arguments = self._arguments(definition.args)
        text = name + arguments
        target = get_named_type(definition.type)
        if arguments and not self._chance(0.1):
            # The same field with other arguments needs another response name.
            text = f"{name}_{sum(map(ord, arguments)) % 97}: {text}"
        else:
            text = self._aliased(text, name[0])
        text += self._condition(0.12)
        if is_composite_type(target):
            text += " " + self._selection(target, depth + 1)
        return text

    def _fragment(self, parent: GraphQLNamedType, depth: int) -> str:
        rng = self.rng
        self.budget -= 1
        target = rng.choice(self._overlapping(parent))
        if self._chance(0.12):
            return f"...{self._condition(0.5)} {self._selection(parent, depth + 1)}"
        usable = [
            n for n, (t, _) in self.fragments.items() if t in {o.name for o in self._overlapping(parent)}
        ]
        if usable and self._chance(0.35):
            return f"...{rng.choice(usable)}{self._condition(0.15)}"
        body = self._selection(target, depth + 1)
        if self._chance(0.3):
            name = f"F{len(self.fragments)}"
            self.fragments[name] = (target.name, body)
            return f"...{name}{self._condition(0.15)}"
        return f"... on {target.name}{self._condition(0.15)} {body}"

    def _overlapping(self, parent: GraphQLNamedType) -> list[GraphQLNamedType]:
        """Types that a fragment inside `parent` may be on."""
        possible = self._possible(parent)
        found = list(possible)
        if self._chance(0.6):
            names = {p.name for p in possible}
            for t in self.schema.type_map.values():
                is_abstract = isinstance(t, GraphQLInterfaceType | GraphQLUnionType)
                if is_abstract and names & {p.name for p in self._possible(t)}:
                    found.append(t)
        return found or [parent]

    def _possible(self, t: GraphQLNamedType) -> list[GraphQLNamedType]:
        if isinstance(t, GraphQLInterfaceType | GraphQLUnionType):
            return list(self.schema.get_possible_types(t))
        return [t]

    def _aliased(self, text: str, letter: str) -> str:
        if not self._chance(0.25):
            return text
        return f"{letter}{self.rng.randrange(3)}: {text}"

    def _condition(self, share: float) -> str:
        if not self._chance(share):
            return ""
        keyword = self.rng.choice(("skip", "include"))
        if self._chance(0.2):
            return f" @{keyword}(if: {self.rng.choice(('true', 'false'))})"
        if self.conditions and self.rng.random() < 0.5:
            name = self.rng.choice(self.conditions)
        else:
            name = self._declare("Boolean!", self.rng.random() < 0.5)
            self.conditions.append(name)
        both = f" @include(if: ${name}) @skip(if: {self.rng.choice(('true', 'false', f'${name}'))})"
        return both if self._chance(0.08) else f" @{keyword}(if: ${name})"

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share * self.richness

    def _arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        written = []
        for name, argument in arguments.items():
            if is_required_argument(argument) or self.rng.random() < 0.5:
                written.append(f"{name}: {self._input(argument.type)}")
        self.rng.shuffle(written)
        return f"({', '.join(written)})" if written else ""

    def _input(self, t: GraphQLInputType, *, inside: bool = False) -> str:
        if self.rng.random() < (0.15 if inside else 0.4):
            return self._variable(t)
        return self._literal(t)

    def _variable(self, t: GraphQLInputType) -> str:
        rng = self.rng
        value = self._value(t)
        if not isinstance(t, GraphQLNonNull):
            kind = rng.randrange(6)
            if kind == 0:  # declared, never given: the argument is absent
                return "$" + self._name(str(t))
            if kind == 1:
                return "$" + self._name(f"{t} = {_to_literal(value, t)}")
            if kind == 2:
                return "$" + self._declare(f"{t}!", self._value(GraphQLNonNull(t)))
        return "$" + self._declare(str(t), value)

    def _declare(self, type_text: str, value: Any) -> str:
        name = self._name(type_text)
        self.variables[name] = value
        return name

    def _name(self, type_text: str) -> str:
        name = f"v{len(self.declared)}"
        self.declared.append(f"${name}: {type_text}")
        return name

    def _literal(self, t: GraphQLInputType) -> str:
        named: Any = t.of_type if isinstance(t, GraphQLNonNull) else t
        if isinstance(named, GraphQLInputObjectType):
            parts = [
                f"{name}: {self._input(f.type, inside=True)}"
                for name, f in named.fields.items()
                if isinstance(f.type, GraphQLNonNull) or self.rng.random() < 0.5
            ]
            return "{" + ", ".join(parts) + "}"
        if isinstance(named, GraphQLList):
            return (
                "["
                + ", ".join(self._input(named.of_type, inside=True) for _ in range(self.rng.randrange(3)))
                + "]"
            )
        return _to_literal(self._value(t), t)

    def _value(self, t: GraphQLInputType) -> Any:
        rng = self.rng
        if isinstance(t, GraphQLNonNull):
            return self._present(t.of_type)
        return None if rng.random() < 0.1 else self._present(t)

    def _present(self, t: Any) -> Any:
        rng = self.rng
        if isinstance(t, GraphQLList):
            return [self._value(t.of_type) for _ in range(rng.randrange(3))]
        if isinstance(t, GraphQLInputObjectType):
            return {
                name: self._value(f.type)
                for name, f in t.fields.items()
                if (isinstance(f.type, GraphQLNonNull) and f.default_value is Undefined) or rng.random() < 0.5
            }
        if isinstance(t, GraphQLEnumType):
            return rng.choice(list(t.values))
        if t.name == "ID":
            return rng.choice((str(rng.randrange(9)), rng.randrange(9)))
        if t.name == "Int":
            return rng.randrange(9)
        if t.name == "Float":
            return rng.choice((rng.randrange(9) + 0.5, rng.randrange(9)))
        if t.name == "Boolean":
            return rng.random() < 0.5
        return rng.choice(("x", "y", 'quo"te', "é\n"))


def _to_literal(value: Any, t: Any) -> str:
    """GraphQL text of a JSON value of this type."""
    if value is None:
        return "null"
    if isinstance(t, GraphQLNonNull):
        return _to_literal(value, t.of_type)
    if isinstance(t, GraphQLList):
        return "[" + ", ".join(_to_literal(item, t.of_type) for item in value) + "]"
    if isinstance(t, GraphQLInputObjectType):
        return "{" + ", ".join(f"{k}: {_to_literal(v, t.fields[k].type)}" for k, v in value.items()) + "}"
    if isinstance(t, GraphQLEnumType):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
