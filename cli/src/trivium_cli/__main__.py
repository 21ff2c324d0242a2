"""The `trivium` command. Each subcommand imports what it needs when it runs, so that `--help` is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from trivium_cli.errors import EXIT_REFUSED, Refused
from trivium_cli.handed_on import add_handed_on_commands

app = typer.Typer(
    help="Run, inspect and extend a Trivium stack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
key_app = typer.Typer(help="Make keys.", no_args_is_help=True)
app.add_typer(key_app, name="key")
add_handed_on_commands(app)


@app.command()
def up(
    port_base: Annotated[
        int, typer.Option(help="Add this to every port, so that two stacks run side by side.")
    ] = 0,
    left_out: Annotated[
        list[str] | None, typer.Option("--except", help="Leave a process out, to run it yourself.")
    ] = None,
    reloaded: Annotated[
        list[str] | None, typer.Option("--reload", help="Start a BFF again when its source changes.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where data and keys are kept. [default: .trivium]")
    ] = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(help="Write addresses, credentials and process ids here when healthy (JSON)."),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours, even on a terminal.")] = False,
) -> None:
    """Start the whole stack in this terminal; Ctrl-C stops it."""
    from trivium_cli.stack.up import UpOptions, run_stack

    options = UpOptions(
        port_base=port_base,
        left_out=tuple(left_out or ()),
        reloaded=tuple(reloaded or ()),
        data_dir=data_dir,
        ready_file=ready_file,
        wants_colour=not no_color,
    )
    raise typer.Exit(run_stack(options))


@app.command()
def token(
    user: Annotated[str, typer.Option(help="ada, grace, linus, or an id such as u17; with iot a device.")],
    client: Annotated[str, typer.Option(help="web or mobile; with --edge iot too.")],
    edge: Annotated[bool, typer.Option("--edge", help="An X-Edge-Identity, to call a BFF directly.")] = False,
    issuer: Annotated[
        str, typer.Option(envvar="TRIVIUM_OIDC_ISSUER", help="The identity provider to ask.")
    ] = "http://127.0.0.1:4100",
) -> None:
    """Print a token for development: an access token from identity, or what the edge would send to a BFF."""
    from trivium_cli.identity import request_token, sign_edge_identity

    if edge:
        typer.echo(sign_edge_identity(user=user, client=client))
    else:
        typer.echo(request_token(issuer, user=user, client=client))


@app.command()
def explain(
    request_id: Annotated[str, typer.Argument(help="The X-Request-ID of an answer.")],
    admin: Annotated[
        str, typer.Option(envvar="TRIVIUM_ADMIN_URL", help="The edge's admin API.")
    ] = "http://127.0.0.1:8001",
    key: Annotated[
        str | None, typer.Option(envvar="TRIVIUM_ADMIN_KEY", help="[default: the development key]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole decision as JSON.")] = False,
) -> None:
    """Say why a request was answered as it was: route, checks, limits, target, and the line behind each."""
    import json

    from trivium_cli.explain import fetch_decision, tell_decision
    from trivium_common.auth.development import ADMIN_API_KEY

    decision = fetch_decision(admin, key or ADMIN_API_KEY, request_id)
    typer.echo(json.dumps(decision, indent=2) if as_json else tell_decision(decision))


@key_app.command("create")
def create_key(
    consumer: Annotated[str, typer.Option(help="The consumer in gateway.yaml that the key belongs to.")],
    subject: Annotated[str, typer.Option(help="Who uses it, such as a device's id.")],
) -> None:
    """Make an API key: shown once, with the line for gateway.yaml that holds only its hash."""
    from trivium_cli.keys import create_api_key

    typer.echo(create_api_key(consumer, subject))


@key_app.command("signing")
def create_signing(
    out: Annotated[Path, typer.Option(help="A new file for the private key (TRIVIUM_EDGE_PRIVATE_KEY).")],
) -> None:
    """Make the key pair behind X-Edge-Identity; prints the JWKS for TRIVIUM_EDGE_PUBLIC_KEYS."""
    from trivium_cli.keys import create_signing_key

    typer.echo(create_signing_key(out))


def main() -> None:
    """Run the command; a refusal is one line on stderr and exit code 2."""
    try:
        app()
    except Refused as refusal:
        print(f"trivium: {refusal}", file=sys.stderr)
        raise SystemExit(EXIT_REFUSED) from None


if __name__ == "__main__":
    main()
