"""`python -m trivium_federation serve|plan|compose`: a router, the plan of one operation, a supergraph of subgraphs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from trivium_federation.compose import command as composing
from trivium_federation.compose.composition import compose
from trivium_federation.errors import FederationError, SupergraphError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 0, 1 for errors of composition, 2 for input that cannot be used."""
    parsed = _parser().parse_args(arguments)
    run = {"serve": _serve, "plan": _plan, "compose": composing.run}[parsed.command]
    return run(parsed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m trivium_federation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer GraphQL over HTTP")
    source = serve.add_mutually_exclusive_group(required=True)
    source.add_argument("--supergraph", type=Path, metavar="FILE")
    source.add_argument("--subgraphs", type=Path, metavar="FILE.json", help="compose these at the start")
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
    composing.add_arguments(commands.add_parser("compose", help="make a supergraph of subgraphs"))
    return parser


def _serve(parsed: argparse.Namespace) -> int:
    from trivium_federation.options import EngineOptions
    from trivium_federation.server.serve import ServeSettings, run_server

    settings = ServeSettings(
        supergraph=parsed.supergraph or parsed.subgraphs,
        read_supergraph=_read_composed if parsed.subgraphs else Path.read_text,
        host=parsed.host,
        port=parsed.port,
        forward_headers=tuple(parsed.forward_header),
        timeout_s=parsed.timeout,
        options=EngineOptions(interpret_only=parsed.interpret_only, compile_at_use=2),
    )
    return run_server(settings)


def _read_composed(path: Path) -> str:
    """The supergraph of the subgraphs that a file lists. Raises: SupergraphError, with every error of composition."""
    try:
        composition = compose(composing.read_subgraphs(path))
    except composing.SubgraphsError as error:
        raise SupergraphError(str(error)) from error
    if composition.supergraph_sdl is None:
        raise SupergraphError("; ".join(map(str, composition.errors)))
    return composition.supergraph_sdl


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
