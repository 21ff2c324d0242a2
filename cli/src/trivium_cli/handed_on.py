"""Commands of the deployables that `trivium` hands on as they are: same arguments, same output, same exit code."""

import subprocess
import sys
from collections.abc import Callable

import typer

EDGE = "trivium_edge"
FEDERATION = "trivium_federation"

# name → (module that has the command, one line of help)
HANDED_ON = {
    "check": (EDGE, "Check a gateway.yaml and report every fault in it."),
    "routes": (EDGE, "List the routes of a gateway.yaml and what they do."),
    "route": (EDGE, "Say which route a request would take."),
    "test": (EDGE, "Run route tests and say how many routes they cover."),
    "diff": (EDGE, "Say what differs between two configurations."),
    "compose": (FEDERATION, "Compose subgraph schemas into a supergraph, or say what is wrong with them."),
    "plan": (FEDERATION, "Print how a GraphQL operation would be answered from a supergraph."),
}
_TAKES_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add_handed_on_commands(app: typer.Typer) -> None:
    """Give `app` every command of the table."""
    for name, (module, help_line) in HANDED_ON.items():
        app.command(name, help=help_line, context_settings=dict(_TAKES_ANYTHING))(_hand_on(module, name))


def _hand_on(module: str, name: str) -> Callable[[typer.Context], None]:
    def run(context: typer.Context) -> None:
        raise typer.Exit(subprocess.call([sys.executable, "-m", module, name, *context.args]))

    return run
