"""`make bench`: what one request through the edge costs, beside nginx, HAProxy, Envoy and a FastAPI gateway.

64 kept connections, 480 bytes of JSON, an RS256 token. The proxy is pinned to core 0; the upstream (nginx) and wrk to
core 1. The figure is CPU time of the proxy's whole process tree per request, read from /proc: it does not depend on how
fast wrk asks. All proxies run side by side and are loaded in turns, so that what else happens on the machine
meets all of them; the median of the rounds counts, and their spread is printed. Ratios within one run count; figures of
two runs, or two machines, do not compare.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from load.measure import PROXY_CORE, REST_CORE, Sample, drive, free_port, memory_mib, start, stop
from load.proxies import EDGE, PEER_CASES, STEP_CASES, Case, Workplace, check, install_peers

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
NEEDED = ("wrk", "nginx", "haproxy", "taskset")
TARGETS = {"nginx": 2.0, "envoy": 0.5}


def main() -> None:
    """Measure, print, and keep the result."""
    options = parse_arguments()
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        raise SystemExit(
            f"missing: {', '.join(missing)}; on Debian: apt-get install wrk nginx haproxy util-linux"
        )
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("a proxy and its load need a core each; this machine offers one")
    peers = install_peers(options.cache)
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder), free_port(), peers)
        rows = measure((EDGE, *PEER_CASES), place, options)
        steps = measure(STEP_CASES, place, options) if options.steps else []
    report = describe(options, rows, steps)
    table = to_markdown(report)
    sys.stdout.write(table)
    if options.out is not None:
        options.out.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(table)


def measure(cases: tuple[Case, ...], place: Workplace, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Load the cases in turns; one row each."""
    running = {}
    samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
    logs = place.folder
    processes = [start(place.origin_command(), REST_CORE, place.origin_port, logs / "origin.out")]
    try:
        for case in cases:
            port = free_port()
            url = f"http://127.0.0.1:{port}/api/web/users/1"
            process = start(place.command(case, port), PROXY_CORE, port, logs / f"{case.name}.out")
            processes.append(process)
            check(case, url, place.token)
            drive(process, url, place.token, options.connections, 1)  # warm-up
            running[case.name] = (process, url)
        for number in range(options.rounds):
            # Forwards and backwards in turn, so that nobody always follows the same neighbour.
            for case in cases if number % 2 == 0 else reversed(cases):
                process, url = running[case.name]
                samples[case.name].append(
                    drive(process, url, place.token, options.connections, options.seconds)
                )
        memory = {name: memory_mib(process.pid) for name, (process, _) in running.items()}
    finally:
        for process in reversed(processes):
            stop(process)
    return [to_row(case, samples[case.name], memory[case.name]) for case in cases]


def to_row(case: Case, samples: list[Sample], memory: float) -> dict[str, Any]:
    """Median and spread (highest minus lowest, as a part of the median)."""
    costs = [sample.cpu_us for sample in samples]
    median = statistics.median(costs)
    return {
        "name": case.name,
        "does": case.does,
        "cpu_us": round(median, 1),
        "spread": round((max(costs) - min(costs)) / median, 3),
        "runs_us": [round(cost, 1) for cost in costs],
        "requests_per_s": round(statistics.median(sample.requests_per_s for sample in samples)),
        "p99_ms": round(statistics.median(sample.p99_ms for sample in samples), 1),
        "memory_mib": round(memory),
    }


def describe(
    options: argparse.Namespace, rows: list[dict[str, Any]], steps: list[dict[str, Any]]
) -> dict[str, Any]:
    """The rows and what one must know to read them."""
    own = rows[0]["cpu_us"]
    ratios = {row["name"]: round(own / row["cpu_us"], 3) for row in rows[1:]}
    return {
        "command": " ".join(["python benchmarks/run.py", *sys.argv[1:]]),
        "commit": find_commit(),
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {read_cpu_model()}, Python {platform.python_version()}",
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "connections": options.connections,
        "rows": rows,
        "trivium_to": ratios,
        "targets": {
            name: {"at_most": most, "is_met": ratios[name] <= most} for name, most in TARGETS.items()
        },
        "steps": steps,
    }


def find_commit() -> str:
    """The commit that was measured, marked when sources differ from it."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run(
        [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "edge/src", "common/src"],
        capture_output=True,
        text=True,
        check=False,
    )
    return (commit.stdout.strip() or "unknown") + (" with changes" if changed.stdout.strip() else "")


def read_cpu_model() -> str:
    """What the processor calls itself."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def to_markdown(report: dict[str, Any]) -> str:
    """The tables."""
    lines = [
        f"{report['connections']} kept connections, 480 bytes of JSON, one core. {report['machine']}.",
        f"`{report['command']}` at {report['commit']}, {report['date']}, load average {report['load_average']}.",
        "",
        "| proxy | CPU us a request | spread | trivium to it | requests/s | p99 ms | MiB | does |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in report["rows"]:
        ratio = report["trivium_to"].get(row["name"])
        lines.append(
            f"| {row['name']} | {row['cpu_us']:.1f} | {row['spread']:.0%} | {f'{ratio:.2f}' if ratio else '-'} |"
            f" {row['requests_per_s']} | {row['p99_ms']} | {row['memory_mib']} | {row['does']} |"
        )
    lines += ["", "| trivium to | ratio | at most | met |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {report['trivium_to'][name]:.2f} | {target['at_most']} | {'yes' if target['is_met'] else 'no'} |"
        for name, target in report["targets"].items()
    ]
    if report["steps"]:
        lines += [
            "",
            "| step of the edge | CPU us a request | more | spread | does |",
            "|---|---|---|---|---|",
        ]
        before = None
        for row in report["steps"]:
            more = "-" if before is None else f"{row['cpu_us'] - before:+.1f}"
            before = row["cpu_us"]
            lines.append(
                f"| {row['name']} | {row['cpu_us']:.1f} | {more} | {row['spread']:.0%} | {row['does']} |"
            )
    return "\n".join(lines) + "\n"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each proxy, in turns")
    parser.add_argument("--seconds", type=float, default=4, help="length of a run")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument(
        "--steps", action=argparse.BooleanOptionalAction, default=True, help="what each step costs"
    )
    parser.add_argument(
        "--cache", type=Path, default=ROOT / ".trivium/bench-edge", help="where peers are installed"
    )
    parser.add_argument(
        "--out", type=Path, default=RESULTS / "edge", help="result files, without their ending"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
