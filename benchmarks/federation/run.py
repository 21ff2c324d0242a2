"""The federation benchmark: our plain server beside Apollo Gateway and Hive Gateway, one core each.

Operations S (one fetch, 50 bytes), M (four fetches, 4.8 KB) and L (187 KB), every request with another seed. The figure is
CPU time of the gateway's processes per request, read from /proc; gateway on core 0, subgraphs and load on core 1. Each
gateway is started anew in each round, rounds alternate, the best round counts and the spread is printed.

    python benchmarks/federation/run.py [--rounds 3] [--seconds 6] [--only trivium,apollo] [--operations S,M,L]
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateways import HERE, Gateway, install_peers, known_gateways
from load import request_body
from processes import cpu_s, free_port, memory_mib, running

ROOT = HERE.parent.parent
RESULTS = HERE.parent / "results"
GATEWAY_CORE, LOAD_CORE = 0, 1
CONNECTIONS = (1, 32)
TARGETS = {("S", 32): 0.06, ("M", 32): 0.08, ("L", 32): 0.10, ("S", 1): 0.12, ("M", 1): 0.12, ("L", 1): 0.12}


@dataclass(slots=True)
class Figure:
    """One measurement of one gateway."""

    gateway: str
    operation: str
    connections: int
    cpu_ms: float
    requests_per_s: float
    p50_ms: float
    p99_ms: float
    subgraph_requests: float
    memory_mib: float
    bad: int


class Runner:
    """Holds what all measurements share: operations, the subgraphs' address, the supergraph that names it."""

    def __init__(self, arguments: argparse.Namespace, subgraphs_url: str, supergraph: Path) -> None:
        self._seconds: float = arguments.seconds
        self.arguments_text = (
            f"--rounds {arguments.rounds} --seconds {arguments.seconds:g} --only {arguments.only}"
        )
        self._cache: Path = arguments.cache
        self._url = subgraphs_url
        self._supergraph = supergraph
        every = json.loads((HERE / "operations.json").read_text())
        self.operations: dict[str, str] = {name: every[name] for name in arguments.operations.split(",")}
        self.figures: list[Figure] = []
        self.starts_s: dict[str, float] = {}

    def measure(self, gateway: Gateway) -> None:
        """Start a gateway, check its answers, load it with each operation, stop it."""
        port = free_port()
        command = [part.format(supergraph=self._supergraph, port=port) for part in gateway.command]
        base = f"http://127.0.0.1:{port}"
        log = self._cache / f"{gateway.name}.log"
        with running(command, GATEWAY_CORE, base + gateway.health, self._cache, log) as (pid, start_s):
            self.starts_s[gateway.name] = min(start_s, self.starts_s.get(gateway.name, start_s))
            self._ask("/reset")
            for operation, query in self.operations.items():
                self._check(gateway, base, query)
                for connections in CONNECTIONS:
                    self._load(base, operation, connections, self._seconds / 3)
                    self._measure_load(gateway, base, pid, operation, connections)

    def stages(self) -> dict[str, Any]:
        """What each stage of the engine costs inside its process (stages.py)."""
        command = [sys.executable, str(HERE / "stages.py"), self._url]
        done = subprocess.run(
            ["taskset", "-c", str(GATEWAY_CORE), *command],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=600,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _measure_load(self, gateway: Gateway, base: str, pid: int, operation: str, connections: int) -> None:
        self._ask("/count-from-zero")
        before_s = cpu_s(pid)
        load = self._load(base, operation, connections, self._seconds)
        used_s = cpu_s(pid) - before_s
        requests = load["requests"]
        self.figures.append(
            Figure(
                gateway.name,
                operation,
                connections,
                used_s / requests * 1e3,
                requests / self._seconds,
                load["p50_ms"],
                load["p99_ms"],
                self._ask("/stats")["count"] / requests,
                memory_mib(pid),
                int(load["bad"]),
            )
        )
        f = self.figures[-1]
        print(
            f"{f.gateway:20} {f.operation} c={f.connections:<3} {f.cpu_ms:8.3f} ms CPU/request {f.requests_per_s:8.0f}/s"
            f"  p50 {f.p50_ms:.2f} p99 {f.p99_ms:.2f} ms  {f.subgraph_requests:.2f} subgraph requests"
            f"  {f.memory_mib:.0f} MiB{f'  {f.bad} BAD' if f.bad else ''}",
            flush=True,
        )

    def _check(self, gateway: Gateway, base: str, query: str) -> None:
        """Answers must equal those of one plain schema, as JSON."""
        for seed in (7, 1003, 1999):
            body = request_body(query, seed)
            wanted, given = _post(self._url + "/plain", body), _post(base + "/graphql", body)
            if wanted != given:
                raise SystemExit(f"{gateway.name} answers otherwise: {json.dumps(given)[:500]}")

    def _load(self, base: str, operation: str, connections: int, seconds: float) -> dict[str, float]:
        command = [
            sys.executable,
            str(HERE / "load.py"),
            base + "/graphql",
            operation,
            str(connections),
            str(seconds),
        ]
        pinned = ["taskset", "-c", str(LOAD_CORE), *command]
        done = subprocess.run(pinned, capture_output=True, text=True, check=True, timeout=seconds + 60)
        summary: dict[str, float] = json.loads(done.stdout)
        return summary

    def _ask(self, path: str) -> dict[str, int]:
        with urllib.request.urlopen(self._url + path, timeout=10) as answer:
            said: dict[str, int] = json.loads(answer.read())
        return said


def main() -> None:
    """Measure everything, print the table, write it as JSON."""
    arguments = _parse_arguments()
    install_peers(arguments.cache)
    port = free_port()
    supergraph = arguments.cache / "supergraph.graphql"
    supergraph.write_text(
        (HERE / "supergraph.graphql").read_text().replace("127.0.0.1:4201", f"127.0.0.1:{port}")
    )
    url = f"http://127.0.0.1:{port}"
    chosen = [g for g in known_gateways(arguments.cache) if g.name in arguments.only.split(",")]
    command = ["node", str(HERE / "subgraphs.mjs"), str(port)]
    with running(command, LOAD_CORE, url + "/stats", arguments.cache, arguments.cache / "subgraphs.log"):
        runner = Runner(arguments, url, supergraph)
        for _ in range(arguments.rounds):
            for gateway in chosen:
                runner.measure(gateway)
        stages = runner.stages() if arguments.stages else None
    report = {**summarise(runner, chosen), "stages": stages}
    print(to_table(report))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=2) + "\n")
    note = f"{report['command']}; load average {report['load_average']}"
    arguments.out.with_suffix(".md").write_text(f"{note}\n\n{to_table(report)}\n")


def summarise(runner: Runner, chosen: list[Gateway]) -> dict[str, Any]:
    """The best round of each gateway, operation and number of connections, with the spread over the rounds."""
    rows = []
    keys = dict.fromkeys((f.operation, f.connections, f.gateway) for f in runner.figures)
    for operation, connections, name in sorted(keys, key=lambda k: ("SML".index(k[0]), k[1])):
        same = [
            f
            for f in runner.figures
            if (f.operation, f.connections, f.gateway) == (operation, connections, name)
        ]
        best = min(same, key=lambda f: f.cpu_ms)
        spread = max(f.cpu_ms for f in same) / best.cpu_ms - 1
        rows.append({**asdict(best), "spread": round(spread, 3)})
    return {
        "command": f"python benchmarks/federation/run.py {runner.arguments_text}",
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "gateways": {g.name: {"version": g.version, "start_s": runner.starts_s.get(g.name)} for g in chosen},
        "rows": rows,
        "ratios": _ratios(rows, {g.name for g in chosen if g.is_ours}),
    }


def _ratios(rows: list[dict[str, Any]], ours: set[str]) -> list[dict[str, Any]]:
    """Our compiled server against the best peer."""
    found = []
    for (operation, connections), target in TARGETS.items():
        same = [r for r in rows if (r["operation"], r["connections"]) == (operation, connections)]
        mine = next((r for r in same if r["gateway"] == "trivium"), None)
        peers = [r for r in same if r["gateway"] not in ours]
        if mine and peers:
            best = min(peers, key=lambda r: r["cpu_ms"])
            ratio = mine["cpu_ms"] / best["cpu_ms"]
            fewest = min(r["subgraph_requests"] for r in peers)
            found.append(
                {
                    "operation": operation,
                    "connections": connections,
                    "best_peer": best["gateway"],
                    "ratio": round(ratio, 4),
                    "target": target,
                    "is_met": ratio <= target and mine["subgraph_requests"] <= fewest + 0.01,
                }
            )
    return found


def to_table(report: dict[str, Any]) -> str:
    """Markdown: one row per operation and number of connections, then the ratios."""
    lines = [
        "| operation, connections | gateway | CPU ms/request | spread | requests/s | p99 ms | subgraph requests | MiB |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    lines += [
        f"| {r['operation']}, {r['connections']} | {r['gateway']} | {r['cpu_ms']:.3f} | {r['spread']:.0%} |"
        f" {r['requests_per_s']:.0f} | {r['p99_ms']:.1f} | {r['subgraph_requests']:.2f} | {r['memory_mib']:.0f} |"
        for r in report["rows"]
    ]
    lines += ["", "| operation, connections | to the best peer | target | met |", "|---|---|---|---|"]
    lines += [
        f"| {r['operation']}, {r['connections']} | {r['ratio']:.3f} of {r['best_peer']} | {r['target']} |"
        f" {'yes' if r['is_met'] else 'no'} |"
        for r in report["ratios"]
    ]
    for operation, stages in (report["stages"] or {}).items():
        lines.append("")
        for kind, figures in stages.items():
            lines.append(
                f"{operation} {kind}: " + ", ".join(f"{stage} {value}" for stage, value in figures.items())
            )
    return "\n".join(lines)


def _post(url: str, body: bytes) -> Any:
    headers = {"content-type": "application/json", "accept": "application/json"}
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument(
        "--only", default="trivium,apollo,hive-rust-planner", help="also: trivium-interpreted"
    )
    parser.add_argument("--operations", default="S,M,L")
    parser.add_argument(
        "--stages", action=argparse.BooleanOptionalAction, default=True, help="in-process figures too"
    )
    parser.add_argument("--cache", type=Path, default=ROOT / ".trivium/bench-federation")
    parser.add_argument("--out", type=Path, default=RESULTS / "federation.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
