"""`compose` as a command: reads a list of subgraphs, writes the supergraph or tells what is wrong. To be hooked into a CLI.

parser = commands.add_parser("compose", help="make a supergraph of subgraphs"); add_arguments(parser)
... sys.exit(run(parser_result))
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from trivium_federation.compose.composition import Composition, compose
from trivium_federation.compose.source import SubgraphSchema

_POLL_S = 0.3


class SubgraphsError(Exception):
    """The list of subgraphs cannot be used; the message says why."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One subgraph of the list: its SDL in place, or in a file beside the list."""

    name: str
    url: str = ""
    sdl: str | None = None
    file: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that `run` reads."""
    parser.add_argument(
        "subgraphs", type=Path, metavar="FILE.json", help='a list of {"name", "url", "sdl" or "file"}'
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="instead of standard output")
    parser.add_argument(
        "--optional",
        action="append",
        default=[],
        metavar="NAME",
        help="a subgraph that may be out; may be repeated",
    )
    parser.add_argument("--quiet", action="store_true", help="no hints")
    parser.add_argument(
        "--watch", action="store_true", help="compose again whenever a file changes; needs --output"
    )


def run(parsed: argparse.Namespace) -> int:
    """Compose once, or until interrupted. Returns the exit code: 0, 1 for errors of composition, 2 for unusable input."""
    if not parsed.watch:
        return _compose_once(parsed)
    if parsed.output is None:
        sys.stderr.write("--watch needs --output\n")
        return 2
    try:
        watch(lambda: _compose_once(parsed), lambda: _files_of(parsed.subgraphs), time.sleep)
    except KeyboardInterrupt:
        return 0
    return 0


def watch(
    act: Callable[[], object], files: Callable[[], Sequence[Path]], sleep: Callable[[float], None]
) -> None:
    """Call `act` now and after each change of one of `files`, for ever."""
    before: dict[Path, tuple[int, int]] | None = None
    while True:
        now = {path: _stamp(path) for path in files()}
        if now != before:
            act()
            before = now
        sleep(_POLL_S)


def read_subgraphs(path: Path) -> list[SubgraphSchema]:
    """The subgraphs that a file lists. Raises: SubgraphsError."""
    found: list[SubgraphSchema] = []
    for entry in _read_entries(path):
        if (entry.sdl is None) == (entry.file is None):
            raise SubgraphsError(f'{path}: subgraph {entry.name!r} needs either "sdl" or "file"')
        if entry.sdl is not None:
            found.append(SubgraphSchema(entry.name, entry.url, entry.sdl))
            continue
        file = path.parent / str(entry.file)
        try:
            found.append(SubgraphSchema(entry.name, entry.url, file.read_text(), str(file)))
        except OSError as error:
            raise SubgraphsError(f"{file}: {error.strerror}") from error
    return found


def _read_entries(path: Path) -> list[_Entry]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Entry])
    except OSError as error:
        raise SubgraphsError(f"{path}: {error.strerror}") from error
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise SubgraphsError(f"{path}: {error}") from error


def _files_of(path: Path) -> list[Path]:
    try:
        return [path, *(path.parent / entry.file for entry in _read_entries(path) if entry.file is not None)]
    except SubgraphsError:
        return [path]


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


def _compose_once(parsed: argparse.Namespace) -> int:
    try:
        subgraphs = read_subgraphs(parsed.subgraphs)
    except SubgraphsError as error:
        sys.stderr.write(f"nothing composed: {error}\n")
        return 2
    composition = compose(subgraphs, optional=frozenset(parsed.optional))
    _tell(composition, is_quiet=parsed.quiet)
    if composition.supergraph_sdl is None:
        return 1
    if parsed.output is None:
        sys.stdout.write(composition.supergraph_sdl)
        return 0
    unfinished = parsed.output.with_name(parsed.output.name + ".part")
    unfinished.write_text(composition.supergraph_sdl)
    unfinished.replace(parsed.output)
    sys.stderr.write(f"{parsed.output}: {len(subgraphs)} subgraphs composed\n")
    return 0


def _tell(composition: Composition, *, is_quiet: bool) -> None:
    for problem in composition.errors:
        sys.stderr.write(f"error: {problem}\n")
    for problem in composition.hints if not is_quiet else ():
        sys.stderr.write(f"hint: {problem}\n")
    if composition.errors:
        sys.stderr.write(f"not composed: {len(composition.errors)} errors\n")
