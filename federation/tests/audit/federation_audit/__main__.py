"""`python -m federation_audit`: the audit outside pytest; `prepare` makes a checkout that AUDIT_DIR can point to."""

import argparse
import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from federation_audit.server import running_server

_REPOSITORY = "https://github.com/graphql-hive/federation-gateway-audit"
# What the audit's server imports. Its own package.json pins far more: every gateway it compares.
_PACKAGES = {
    "graphql": "^16.9.0",
    "graphql-yoga": "^5.16.0",
    "@apollo/subgraph": "^2.11.0",
    "@apollo/composition": "^2.11.0",
    "fets": "^0.8.5",
    "tsx": "^4.20.0",
}


def prepare(checkout: Path, repository: str) -> None:
    """Clone the audit unless it is there, and install only what its server needs."""
    if not (checkout / "src").is_dir():
        subprocess.run(["git", "clone", "--quiet", "--depth", "1", repository, str(checkout)], check=True)
    (checkout / "package-lock.json").unlink(missing_ok=True)
    package = {"name": "audit", "private": True, "type": "module", "dependencies": _PACKAGES}
    (checkout / "package.json").write_text(json.dumps(package, indent=2))
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=checkout, check=True
    )


def main() -> int:
    """Run the audit in one way and say how many of its cases passed."""
    arguments = _parse_arguments()
    if arguments.command == "prepare":
        prepare(arguments.dir, arguments.repository)
        return 0
    os.environ.setdefault("AUDIT_DIR", str(arguments.dir))
    from federation_audit.gateways import in_process, plain_server
    from federation_audit.run import run_blocking, write_report

    opener = (
        plain_server if arguments.server else partial(in_process, interpret_only=arguments.interpret_only)
    )
    with running_server(strict_plans=arguments.strict_plans) as server:
        score = run_blocking("server" if arguments.server else "in process", server, opener, arguments.only)
    sys.stdout.write(score.to_text() + "\n")
    if arguments.report:
        write_report(arguments.report, [score])
    return 1 if score.failures else 0


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="federation_audit", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["run", "prepare"], default="run")
    parser.add_argument("--dir", type=Path, default=Path(os.environ.get("AUDIT_DIR", ".trivium/audit")))
    parser.add_argument("--repository", default=os.environ.get("AUDIT_REPOSITORY", _REPOSITORY))
    parser.add_argument("--server", action="store_true", help="ask `python -m trivium_federation serve`")
    parser.add_argument("--interpret-only", action="store_true", help="no compiled plans")
    parser.add_argument("--strict-plans", action="store_true", help="PUNISH_FOR_POOR_PLANS=1")
    parser.add_argument("--only", default="", help="suites whose id contains this")
    parser.add_argument("--report", type=Path, help="write failures with wanted and given answers here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
