"""The reference execution of a plan over plain dicts. Every answer of the engine is what this would have answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from trivium_federation.execute.client_path import client_path, is_of_interest
from trivium_federation.execute.merge import (
    DataPath,
    Object,
    find_paths,
    find_targets,
    merge_object,
    original_path,
    rename_keys,
)
from trivium_federation.execute.representations import Batch
from trivium_federation.execute.response_shape import ResponseShape
from trivium_federation.execute.shape import Errors, Shaper
from trivium_federation.options import Limits
from trivium_federation.planner.plan import Request, Slot
from trivium_federation.transport import SubgraphResponse

# One entity's error is told for so many of the places that show the entity.
_MAX_PATHS = 100


class Interpreter:
    """The state of one run: merged data, errors, and for each request the objects that its answer fills."""

    is_compiled = False

    def __init__(
        self,
        shape: ResponseShape,
        variables: Mapping[str, object],
        local: Mapping[str, object],
        limits: Limits,
    ) -> None:
        self._shape = shape
        self._variables = variables
        self._local = local
        self._limits = limits
        self._data: Object = {}
        self._errors: Errors = []
        self._reported: list[tuple[DataPath | None, dict[str, object]]] = []
        self._targets: dict[tuple[int, int], list[list[Object]]] = {}

    def build(self, request: Request) -> bytes | None:
        """The body of a request, or None if there is nothing to ask for."""
        variables: dict[str, object] = {
            name: self._variables[name] for name in request.variables if name in self._variables
        }
        if request.is_root:
            targets = find_targets(self._data, request.slots[0].places[0])
            self._targets[request.index, 0] = [targets]
            if not targets:
                return None
            return _body(request.text, orjson.dumps(variables))
        parts: list[bytes] = []
        count = 0
        for number, slot in enumerate(request.slots):
            batch = self._batch(slot)
            self._targets[request.index, number] = list(batch.targets.values())
            count += len(batch.targets)
            parts.append(b'"%b":%b' % (request.representation_names[number].encode(), batch.json()))
        if count == 0:
            return None
        if count > self._limits.max_entities_per_request:
            self._add_error(
                request, f"more than {self._limits.max_entities_per_request} entities", "TOO_MANY_ENTITIES"
            )
            return None
        rest = orjson.dumps(variables)[1:-1]
        return _body(request.text, b"{" + b",".join([*parts, rest] if rest else parts) + b"}")

    def absorb(self, request: Request, response: SubgraphResponse) -> None:
        """Merge an answer. Whatever is wrong with it becomes an error, and null in the fields it was to fill."""
        if len(response.body) > self._limits.max_subgraph_answer_bytes:
            self.fail(request, "answered more than is allowed", "SUBGRAPH_ANSWER_TOO_LARGE")
            return
        try:
            answer = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            self.fail(
                request, f"answered with status {response.status} and no JSON", "SUBGRAPH_ANSWER_INVALID"
            )
            return
        if not isinstance(answer, dict) or not ("data" in answer or answer.get("errors")):
            self.fail(request, "gave no GraphQL answer", "SUBGRAPH_ANSWER_INVALID")
            return
        data, errors = answer.get("data"), answer.get("errors")
        if isinstance(data, dict):
            for number, slot in enumerate(request.slots):
                self._fill(request, number, slot, data, has_errors=bool(errors))
        elif not errors:
            self.fail(request, "gave no data", "SUBGRAPH_ANSWER_INVALID")
        # After the data, which tells the types on an error's path.
        self._note_errors(request, errors)

    def fail(self, request: Request, reason: str, code: str) -> None:
        """Record that a request brought nothing. `reason` completes: the subgraph …"""
        self._add_error(request, reason, code)

    def finish(self) -> tuple[bytes, bool]:
        """The client's answer as JSON, and whether it has errors."""
        self._translate_errors()
        data = Shaper(self._shape, self._local, self._errors).shape(self._data)
        answer: dict[str, object] = {"data": data}
        if self._errors:
            answer["errors"] = self._errors
        return orjson.dumps(answer), bool(self._errors)

    def _batch(self, slot: Slot) -> Batch:
        batch = Batch()
        assert slot.representation is not None  # noqa: S101 - only root requests have none
        for place in slot.places:
            batch.add(slot.representation, find_targets(self._data, place))
        return batch

    def _fill(self, request: Request, number: int, slot: Slot, data: Object, *, has_errors: bool) -> None:
        groups = self._targets.get((request.index, number), [])
        if request.is_root:
            if slot.renames is not None:
                rename_keys(data, slot.renames)
            for targets in groups:
                for target in targets:
                    merge_object(target, data, is_shared=len(targets) > 1)
            return
        entities = data.get(slot.alias)
        if not groups or (entities is None and has_errors):
            return
        if not isinstance(entities, list) or len(entities) != len(groups):
            self.fail(request, "gave another number of entities than asked for", "SUBGRAPH_ANSWER_INVALID")
            return
        for entity, targets in zip(entities, groups, strict=True):
            if not isinstance(entity, dict):
                if entity is not None:
                    self.fail(request, "gave an entity that is no object", "SUBGRAPH_ANSWER_INVALID")
                continue
            if slot.renames is not None:
                rename_keys(entity, slot.renames)
            for target in targets:
                merge_object(target, entity, is_shared=len(targets) > 1)

    # -- errors -------------------------------------------------------------------------------------------------

    def _note_errors(self, request: Request, errors: object) -> None:
        """Take over a subgraph's errors with the client's paths."""
        for error in errors if isinstance(errors, list) else ():
            if not isinstance(error, dict):
                error = {}
            message = error.get("message")
            given = error.get("extensions")
            extensions: dict[str, object] = dict(given) if isinstance(given, dict) else {}
            extensions.setdefault("code", "DOWNSTREAM_SERVICE_ERROR")
            extensions["service"] = request.subgraph.name
            text = message if isinstance(message, str) else "The subgraph reported an error."
            paths = self._data_paths(request, error.get("path"))
            shown: dict[str, object] = {"message": text, "extensions": extensions}
            self._reported += [(path, shown) for path in paths] or [(None, shown)]

    def _data_paths(self, request: Request, path: object) -> list[DataPath]:
        """Where in the merged data an error belongs: an entity may stand at several places."""
        if not isinstance(path, list) or not all(isinstance(step, str | int) for step in path):
            return []
        if request.is_root:
            place = request.slots[0].places[0]
            first = next((p for _, p in find_paths(self._data, place)), ())
            return [(*first, *original_path(path, request.slots[0].renames))]
        for number, slot in enumerate(request.slots):
            if path and path[0] == slot.alias:
                return self._entity_paths(request, number, slot, path[1:])
        return []

    def _entity_paths(
        self, request: Request, number: int, slot: Slot, path: Sequence[str | int]
    ) -> list[DataPath]:
        groups = self._targets.get((request.index, number), [])
        if not path or not isinstance(path[0], int) or not 0 <= path[0] < len(groups):
            return []
        wanted = {id(target) for target in groups[path[0]][:_MAX_PATHS]}
        below = original_path(path[1:], slot.renames)
        return [
            (*found, *below)
            for place in slot.places
            for target, found in find_paths(self._data, place)
            if id(target) in wanted
        ]

    def _translate_errors(self) -> None:
        """Give subgraph errors the client's paths, now that the types of all values are known."""
        for path, error in self._reported:
            if path is not None:
                if not is_of_interest(self._shape, self._data, path):
                    continue
                shown = client_path(self._shape, self._data, path)
                if shown:
                    error = {"message": error["message"], "path": shown, "extensions": error["extensions"]}
            self._errors.append(error)
        self._reported.clear()

    def _add_error(self, request: Request, reason: str, code: str) -> None:
        name = request.subgraph.name
        extensions = {"code": code, "service": name}
        self._errors.append({"message": f"The subgraph {name} {reason}.", "extensions": extensions})


def _body(text: str, variables: bytes) -> bytes:
    if variables == b"{}":
        return b'{"query":%b}' % orjson.dumps(text)
    return b'{"query":%b,"variables":%b}' % (orjson.dumps(text), variables)
