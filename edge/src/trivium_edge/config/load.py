"""From files to one checked configuration, or to all of its faults at once. Nothing is half applied."""

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trivium_edge.config.checks import find_errors, find_warnings
from trivium_edge.config.interpolation import Interpolator
from trivium_edge.config.model_faults import find_model_faults
from trivium_edge.config.models import GatewayConfig
from trivium_edge.config.positions import ConfigInvalid, Fault, Node, PathPart, Position
from trivium_edge.config.references import find_reference_faults
from trivium_edge.config.yaml_tree import read_tree

_MAX_FILE_BYTES = 16 * 1024 * 1024
_INCLUDABLE = ("consumers", "upstreams", "routes")


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration that holds. `files` are all that it was read from, `warnings` what is legal and unwise."""

    config: GatewayConfig
    tree: Node
    files: frozenset[Path]
    warnings: tuple[Fault, ...]

    def place(self, *path: PathPart) -> str:
        """`file:line` of a setting, for logs and `explain`."""
        at = self.tree.nearest(path).at
        return f"{at.file}:{at.line}"


def load_config(path: str, environment: Mapping[str, str]) -> LoadedConfig:
    """Read and check `path` with all it includes.

    Raises: ConfigInvalid, with every fault that can be found in one pass.
    """
    reader = _Reader(environment)
    tree = reader.read(Path(path))
    if tree is None:
        raise ConfigInvalid(reader.faults)
    if not isinstance(tree.value, dict):
        raise ConfigInvalid(
            [Fault(tree.at, "", "expected a mapping with format_version, routes, upstreams ...")]
        )
    tree = reader.include(tree)
    faults = reader.faults + list(find_reference_faults(tree))
    try:
        config = GatewayConfig.model_validate(tree.plain())
    except ValidationError as error:
        # A value that could not be read at all needs no second fault for being empty now.
        told = {fault.at for fault in faults} | {fault.setting for fault in reader.faults if fault.setting}
        found = find_model_faults(error, tree, GatewayConfig)
        faults += [fault for fault in found if fault.at not in told and fault.setting not in told]
        raise ConfigInvalid(faults) from None
    faults += find_errors(config, tree)
    if faults:
        raise ConfigInvalid(faults)
    return LoadedConfig(config, tree, frozenset(reader.files), tuple(sorted(find_warnings(config, tree))))


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.files: set[Path] = set()
        self.faults: list[Fault] = []

    def read(self, path: Path, named_at: Position | None = None) -> Node | None:
        """The tree of one file; None when it cannot be read, with the fault at the place that names it."""
        self.files.add(path)
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_FILE_BYTES + 1)
            text = content.decode()
        except OSError as error:
            told = f"the file {path} cannot be read: {error.strerror}"
            self.faults.append(Fault(named_at or Position(str(path)), "", told))
            return None
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.faults.append(Fault(Position(str(path), line), "", "found bytes that are not UTF-8 text"))
            return None
        if len(content) > _MAX_FILE_BYTES:
            self.faults.append(Fault(Position(str(path)), "", f"larger than {_MAX_FILE_BYTES >> 20} MiB"))
            return None
        interpolator = Interpolator(self._environment, path.parent)
        tree, faults = read_tree(text, str(path), interpolator)
        self.faults += faults
        self.files |= interpolator.files
        return tree

    def include(self, root: Node) -> Node:
        """`root` with what its `include` files add to consumers, upstreams and routes."""
        parts = {key: [node] for key, node in root.value.items()} if isinstance(root.value, dict) else {}
        for _, named in root.entries("include"):
            for path in self._find_included(named, Path(root.at.file).parent):
                included = self.read(path, named.at)
                if included is not None and isinstance(included.value, dict):
                    self._collect(included.value, parts)
                elif included is not None:
                    self.faults.append(
                        Fault(included.at, "", "expected a mapping with consumers, upstreams or routes")
                    )
        return Node({key: self._join(key, nodes) for key, nodes in parts.items()}, root.at, root.key_at)

    def _find_included(self, named: Node, folder: Path) -> list[Path]:
        if not isinstance(named.value, str) or not named.value:
            return []
        found = sorted(Path(name) for name in glob.glob(str(folder / named.value), recursive=True))
        if not found:
            self.faults.append(Fault(named.at, "include", f"no file matches {named.value}"))
        return found

    def _collect(self, included: dict[str, Node], parts: dict[str, list[Node]]) -> None:
        for key, node in included.items():
            if key in _INCLUDABLE:
                parts.setdefault(key, []).append(node)
            else:
                told = f"unknown key `{key}`, expected one of {', '.join(_INCLUDABLE)} in an included file"
                self.faults.append(Fault(node.key_at or node.at, key, told))

    def _join(self, key: str, nodes: list[Node]) -> Node:
        if len(nodes) == 1:
            return nodes[0]
        if all(isinstance(node.value, list) for node in nodes):
            items = [child for node in nodes if isinstance(node.value, list) for child in node.value]
            return Node(items, nodes[0].at, nodes[0].key_at)
        joined: dict[str, Node] = {}
        for node in nodes:
            if not isinstance(node.value, dict):
                self.faults.append(
                    Fault(node.at, key, f"`{key}` has another shape than in {nodes[0].at.file}")
                )
                continue
            for name, child in node.value.items():
                if name in joined:
                    first = joined[name].key_at or joined[name].at
                    told = f"the key `{name}` was given before, at {first.file}:{first.line}"
                    self.faults.append(Fault(child.key_at or child.at, f"{key}.{name}", told))
                else:
                    joined[name] = child
        return Node(joined, nodes[0].at, nodes[0].key_at)
