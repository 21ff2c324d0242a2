"""`python -m federation_fuzz`: fuzz for hours, or run one written failure again.

PYTHONPATH=federation/tests/fuzz:federation/tests/audit python -m federation_fuzz --minutes 120
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from federation_fuzz.campaign import Source, Tally, run_campaign
from federation_fuzz.compare import Bench, Setting
from federation_fuzz.hostile import MEANT_CPU_S, Unreachable, hostile_operations, try_hostile
from federation_fuzz.operations import Operation
from federation_fuzz.report import describe, write_failure
from federation_fuzz.sources import audit_sources, random_sources, written_sources
from trivium_federation.engine import Engine

_MADE_PER_ROUND = 40


def main() -> int:
    """Fuzz in rounds with growing seeds until the time or the number of operations is reached."""
    arguments = _parse_arguments()
    if arguments.again:
        return run_again(arguments.again)
    if arguments.hostile:
        return run_hostile(arguments.hostile, arguments.seed)
    stop_at = time.monotonic() + arguments.minutes * 60
    tally = Tally()
    fixed = [source for source in [*written_sources(), *audit_sources()] if arguments.only in source.name]
    seed = arguments.seed
    while time.monotonic() < stop_at and tally.operations < arguments.operations:
        sources: list[Source] = list(fixed)
        if arguments.only in "made":
            sources += random_sources(seed, _MADE_PER_ROUND)
        for bench, difference in run_campaign(
            sources, seed, arguments.per_supergraph, tally, stop_at=stop_at
        ):
            path = write_failure(arguments.failures, bench, difference)
            _say(f"{difference.kind}: {path}")
        _say(f"seed {seed}: {tally.to_text()}")
        seed += 1
    return 1 if tally.kinds else 0


def run_again(file: Path) -> int:
    """Run a written failure again and describe it, or say that it is gone."""
    written = json.loads(file.read_text())
    sdl = (file.parent / written["supergraph"]).read_text()
    bench = Bench(Path(written["supergraph"]).stem, sdl, Setting(**written["setting"]))
    is_invalid = file.name.startswith(f"{bench.name}--invalid")
    check = bench.check_refused if is_invalid else bench.check
    difference = check(Operation(written["query"], written["variables"], written["operation_name"]))
    _say(describe(bench, difference) if difference else "right now")
    return 1 if difference else 0


def run_hostile(count: int, seed: int) -> int:
    """Put hostile operations to an engine and say what the dearest of each kind cost."""
    sdl = next(source.sdl for source in written_sources() if source.name == "shop")
    engine = Engine.from_sdl(sdl, Unreachable())
    found = asyncio.run(try_hostile(engine, hostile_operations(seed, count)))
    for tried in sorted(found, key=lambda t: -t.dearest_s):
        wrong = f"  ANSWERED {tried.answered}" if tried.answered else ""
        _say(
            f"{tried.kind:20} {tried.count:6} operations, dearest {tried.dearest_s * 1e3:6.1f} ms of CPU{wrong}"
        )
    return 1 if any(tried.answered or tried.dearest_s > MEANT_CPU_S for tried in found) else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="federation_fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--operations", type=int, default=10**9, help="stop after about this many")
    parser.add_argument("--per-supergraph", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--only", default="", help="supergraphs whose name contains this; `made` for random ones"
    )
    parser.add_argument("--failures", type=Path, default=Path("/tmp/fuzz-failures"))
    parser.add_argument(
        "--hostile", type=int, metavar="N", help="put N hostile operations to the engine instead"
    )
    parser.add_argument("--again", type=Path, help="a .json of an earlier failure")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
