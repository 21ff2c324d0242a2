"""`python -m trivium_federation serve|plan`: a router, or the plan of one operation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from trivium_federation.errors import FederationError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 0, or 2 for input that cannot be used."""
    parsed = _parser().parse_args(arguments)
    return _serve(parsed) if parsed.command == "serve" else _plan(parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trivium_federation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer GraphQL over HTTP")
    serve.add_argument("--supergraph", type=Path, required=True, metavar="FILE")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=4000)
    serve.add_argument("--forward-header", action="append", default=[], metavar="NAME")
    serve.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="for one request")
    serve.add_argument("--interpret-only", action="store_true", help="without compiled plans")
    plan = commands.add_parser("plan", help="print the plan of an operation")
    plan.add_argument("--supergraph", type=Path, required=True, metavar="FILE")
    plan.add_argument("--format", choices=("text", "json", "mermaid"), default="text")
    plan.add_argument("--operation-name")
    plan.add_argument("--variables", default="{}", metavar="JSON", help="values of @skip and @include")
    plan.add_argument("query", help="the operation, or - to read it from standard input")
    return parser


def _serve(parsed: argparse.Namespace) -> int:
    from trivium_federation.options import EngineOptions
    from trivium_federation.server.serve import ServeSettings, run_server

    settings = ServeSettings(
        supergraph=parsed.supergraph,
        host=parsed.host,
        port=parsed.port,
        forward_headers=tuple(parsed.forward_header),
        timeout_s=parsed.timeout,
        options=EngineOptions(interpret_only=parsed.interpret_only, compile_at_use=2),
    )
    return run_server(settings)


def _plan(parsed: argparse.Namespace) -> int:
    from trivium_federation.engine import Engine
    from trivium_federation.transport import NoTransport

    try:
        query = sys.stdin.read() if parsed.query == "-" else parsed.query
        variables = orjson.loads(parsed.variables)
        engine = Engine.from_sdl(parsed.supergraph.read_text(), NoTransport())
        plan = engine.plan(query, parsed.operation_name, variables=variables)
    except (FederationError, OSError, ValueError) as error:
        sys.stderr.write(f"no plan: {error}\n")
        return 2
    if parsed.format == "json":
        sys.stdout.write(orjson.dumps(plan.to_dict(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write(plan.to_mermaid() if parsed.format == "mermaid" else plan.to_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
