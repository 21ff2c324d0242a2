"""`trivium-edge run|check|schema`: the one command in the edge's image."""

import argparse
import os
import sys
from collections.abc import Sequence

from trivium_edge.config.load import load_config
from trivium_edge.config.positions import ConfigInvalid

EXIT_CONFIGURATION = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the process's exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "check":
        return check(options.file, is_strict=options.strict)
    if options.command == "schema":
        from trivium_edge.config.schema import render_schema

        sys.stdout.write(render_schema().decode())
        return 0
    from trivium_edge.supervisor.run import run

    return run(options.config)


def check(path: str, *, is_strict: bool) -> int:
    """Print all that is wrong with a configuration, one line each; 0 when it holds, else 2."""
    try:
        loaded = load_config(path, os.environ)
    except ConfigInvalid as invalid:
        for fault in invalid.faults:
            sys.stderr.write(f"{fault}\n")
        sys.stderr.write(f"{path}: {_count(len(invalid.faults), 'fault')}; the configuration is refused\n")
        return EXIT_CONFIGURATION
    for warning in loaded.warnings:
        sys.stderr.write(f"{warning}\n")
    if loaded.warnings and is_strict:
        sys.stderr.write(f"{path}: {_count(len(loaded.warnings), 'warning')}, which --strict refuses\n")
        return EXIT_CONFIGURATION
    parts = (
        _count(len(loaded.config.routes), "route"),
        _count(len(loaded.config.upstreams), "upstream"),
        _count(len(loaded.config.consumers), "consumer"),
    )
    sys.stdout.write(f"{path}: {', '.join(parts)}: the configuration holds\n")
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trivium-edge", description="The edge of Trivium.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve until SIGTERM")
    run.add_argument("--config", default="gateway.yaml", metavar="FILE", help="default: gateway.yaml")
    checked = commands.add_parser("check", help="say all that is wrong with a configuration")
    checked.add_argument("file", metavar="FILE")
    checked.add_argument("--strict", action="store_true", help="refuse warnings too")
    commands.add_parser("schema", help="print the JSON Schema of gateway.yaml, for editors")
    return parser


if __name__ == "__main__":
    sys.exit(main())
