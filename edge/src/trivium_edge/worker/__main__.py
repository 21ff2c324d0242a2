"""`python -m trivium_edge.worker`: started by the supervisor only."""

import argparse
import signal
import socket
import sys
from collections.abc import Sequence

from trivium_common.observability.logs import setup_logging
from trivium_common.settings import LogFormat


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the supervisor says drain, or is gone."""
    options = _parser().parse_args(arguments)
    # The supervisor alone decides when a worker ends; a terminal's Ctrl-C reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    setup_logging("edge", LogFormat(options.log) if options.log else None)
    control = socket.socket(fileno=options.control_fd)
    listeners = [socket.socket(fileno=int(fd)) for fd in options.listen_fds.split(",")]

    import asyncio

    import uvloop

    from trivium_edge.worker.worker import Worker

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(options.index, control, listeners).run())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trivium-edge worker", description="A worker of the edge.")
    parser.add_argument("--index", type=int, required=True)
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--listen-fds", required=True)
    parser.add_argument("--log", choices=["json", "text"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
