"""`trivium-edge`: run the edge, and ask a configuration without running it."""

import argparse
import sys
from collections.abc import Sequence

from trivium_edge.commands.output import EXIT_REFUSED, Refused


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the result is the process's exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _dispatch(options)
    except Refused:
        return EXIT_REFUSED


def _dispatch(options: argparse.Namespace) -> int:
    """Each command loads only what it needs."""
    match options.command:
        case "run":
            from trivium_edge.supervisor.run import run

            return run(options.config)
        case "check":
            from trivium_edge.commands.check import check

            return check(options.file, is_strict=options.strict)
        case "routes":
            from trivium_edge.commands.routes import list_routes

            return list_routes(options.config)
        case "route":
            from trivium_edge.commands.routes import find_route

            return find_route(options.config, options.method, options.url)
        case "test":
            from trivium_edge.commands.route_tests import run_tests

            return run_tests(options.config, options.file, fail_under=options.fail_under)
        case "diff":
            from trivium_edge.commands.diff import show_diff

            return show_diff(options.old, options.new)
        case "schema":
            from trivium_edge.config.schema import render_schema

            sys.stdout.write(render_schema().decode())
        case "reference":
            from trivium_edge.config.reference import render_reference
            from trivium_edge.supervisor.reload import FIXED

            sys.stdout.write(render_reference(FIXED))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trivium-edge", description="The edge of Trivium.")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, about: str, *, has_config: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about)
        if has_config:
            command.add_argument(
                "--config", default="gateway.yaml", metavar="FILE", help="default: gateway.yaml"
            )
        return command

    add("run", "serve until SIGTERM")
    checked = add("check", "say all that is wrong with a configuration", has_config=False)
    checked.add_argument("file", metavar="FILE")
    checked.add_argument("--strict", action="store_true", help="refuse warnings too")
    add("routes", "list the routes and what they do")
    route = add("route", "say which route a request takes")
    route.add_argument("method", metavar="METHOD")
    route.add_argument("url", metavar="URL")
    tested = add("test", "run route tests and say how many routes they cover")
    tested.add_argument("file", metavar="TESTS")
    tested.add_argument("--fail-under", type=float, default=0.0, metavar="PERCENT", help="least coverage")
    compared = add("diff", "say what differs between two configurations", has_config=False)
    compared.add_argument("old", metavar="OLD")
    compared.add_argument("new", metavar="NEW")
    add("schema", "print the JSON Schema of gateway.yaml, for editors", has_config=False)
    add("reference", "print docs/configuration.md", has_config=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
