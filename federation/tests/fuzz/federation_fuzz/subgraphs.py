"""Subgraphs as strict as real ones: they refuse what a real one could not answer.

Refused are: a field that the graph does not resolve (external, overridden) unless a representation or a `@provides`
gave it; a field with `@requires` whose inputs did not come; an entity asked by an incomplete, unknown or
non-resolvable key. Every refusal is a finding, also where the answer comes out right.
"""

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, NoReturn

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    execute_sync,
    parse,
    validate,
)

from federation_fuzz.data import Data, Node, Session, canonical
from federation_fuzz.fieldsets import MissingField, Selection, parse_fieldset, read_given
from federation_fuzz.schemas import build_subgraph_schema
from trivium_federation.transport import SubgraphRequest, SubgraphResponse

_KEPT_DOCUMENTS = 400


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a subgraph got, and its answer."""

    graph: str
    query: str
    variables: Any
    answer: Any


@dataclass(slots=True)
class Run:
    """What one federated execution did to the subgraphs."""

    session: Session = field(default_factory=Session)
    calls: list[Call] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


class StrictSubgraphs:
    """All subgraphs of one supergraph, in this process; a transport of the engine."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.run = Run()
        supergraph = data.supergraph
        self._graphs = {name: _Graph(data, graph) for graph, (name, _) in supergraph.graphs.items()}

    async def send(self, request: SubgraphRequest) -> SubgraphResponse:
        """Answer as the subgraph would, after a few turns of the loop that depend on the request alone."""
        for _ in range(len(request.body) % 5):
            await asyncio.sleep(0)
        answer = self.answer(request.subgraph, json.loads(request.body))
        return SubgraphResponse(status=200, body=json.dumps(answer).encode(), content_type="application/json")

    def answer(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """The GraphQL answer of one subgraph."""
        answer = self._graphs[name].answer(body, self.run)
        self.run.calls.append(Call(name, body["query"], body.get("variables"), answer))
        return answer


class _Graph:
    """One subgraph."""

    def __init__(self, data: Data, graph: str) -> None:
        self._data = data
        self._graph = graph
        self._name = data.supergraph.graphs[graph][0]
        self._schema: GraphQLSchema = build_subgraph_schema(data.supergraph, graph)
        self._documents: OrderedDict[str, DocumentNode | list[GraphQLError]] = OrderedDict()

    def answer(self, body: dict[str, Any], run: Run) -> dict[str, Any]:
        document = self._validated(body["query"])
        if isinstance(document, list):
            run.refusals += [f"{self._name}: invalid query: {error.message}" for error in document]
            return {"errors": [{"message": error.message} for error in document]}
        result = execute_sync(
            self._schema,
            document,
            context_value=run,
            variable_values=body.get("variables"),
            operation_name=body.get("operationName"),
            field_resolver=self._resolve,
            type_resolver=self._resolve_type,
        )
        if result.data is None and result.errors and not result.errors[0].path:
            run.refusals += [f"{self._name}: {error.message}" for error in result.errors]
        return {key: value for key, value in result.formatted.items() if key != "errors" or value}

    def _validated(self, query: str) -> DocumentNode | list[GraphQLError]:
        known = self._documents.get(query)
        if known is None:
            try:
                document = parse(query)
                known = validate(self._schema, document) or document
            except GraphQLError as error:
                known = [error]
            self._documents[query] = known
            if len(self._documents) > _KEPT_DOCUMENTS:
                self._documents.popitem(last=False)
        return known

    def _resolve_type(self, node: Node, info: GraphQLResolveInfo[Any], _type: object) -> str:
        if node.type not in self._schema.type_map:
            for interface in self._data.supergraph.types[node.type].interfaces:
                if self._data.supergraph.is_interface_object(interface, self._graph):
                    return interface
            self._refuse(info, f"type {node.type} is not known here")
        return node.type

    def _resolve(self, parent: Node | None, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        run: Run = info.context
        if info.field_name == "_entities":
            return [self._find(given, info) for given in arguments["representations"]]
        type_name = info.parent_type.name
        node = parent or Node(type_name, "root")
        view = self._data.supergraph.field_view(type_name, info.field_name, self._graph)
        assert view
        provided = [s for s in self._provided(node) if s.name == info.field_name]
        required = None
        if view.requires:
            required = self._read_required(node, view.requires, info)
        elif not (view.can_resolve or provided or info.field_name in (node.given or {})):
            self._refuse(info, "this graph does not resolve it and nothing provides it")
        if not self._data.requires(node.type, info.field_name):
            required = None
        value = self._data.value(node, info.field_name, arguments, required, run.session)
        below = tuple(child for s in provided for child in s.children)
        if view.provides:
            below += parse_fieldset(view.provides)
        return _provide(value, below)

    def _provided(self, node: Node) -> list[Selection]:
        """The provided fields that apply to the node's type, fragments opened."""
        found: list[Selection] = []
        waiting = list(node.provided)
        while waiting:
            selection = waiting.pop()
            if selection.name is not None:
                found.append(selection)
            elif selection.on is None or node.type in self._data.subtypes.get(selection.on, ()):
                waiting += selection.children
        return found

    def _read_required(self, node: Node, requires: str, info: GraphQLResolveInfo[Any]) -> Any:
        selections = parse_fieldset(requires)
        names = {s.name for s in self._provided(node)}
        if node.given is None and all(s.name in names for s in selections):
            run: Run = info.context
            return self._data.pick(node, selections, run.session)
        try:
            return read_given(selections, node.given or {}, self._data.subtypes)
        except MissingField as error:
            self._refuse(info, f"@requires {requires!r}: {error}")

    def _find(self, given: Any, info: GraphQLResolveInfo[Any]) -> Node:
        type_name = given.get("__typename") if isinstance(given, dict) else None
        if not isinstance(type_name, str) or type_name not in self._data.supergraph.types:
            self._refuse(info, f"representation without a known __typename: {canonical(given)}")
        for key in self._data.supergraph.keys(type_name, self._graph):
            try:
                values = read_given(parse_fieldset(key), given, self._data.subtypes)
            except MissingField:
                continue
            if _has_null(values):
                self._refuse(info, f"null in the key of {canonical(given)}")
            found = self._data.find(type_name, key, values)
            if found is None:
                self._refuse(info, f"no such entity: {canonical(given)}")
            return Node(found.type, found.id, given=given)
        return self._refuse(info, f"no resolvable key of {type_name} in {canonical(given)}")

    def _refuse(self, info: GraphQLResolveInfo[Any], why: str) -> NoReturn:
        run: Run = info.context
        run.refusals.append(f"{self._name}: {info.parent_type.name}.{info.field_name}: {why}")
        raise GraphQLError(f"refused: {why}")


def _provide(value: Any, provided: tuple[Selection, ...]) -> Any:
    if isinstance(value, list):
        return [_provide(item, provided) for item in value]
    if isinstance(value, Node):
        return Node(value.type, value.id, provided=provided)
    return value


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_null, value.values()))
    return value is None or (isinstance(value, list) and any(map(_has_null, value)))
