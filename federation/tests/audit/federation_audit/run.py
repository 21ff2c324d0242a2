"""One pass over all suites: every case asked, every answer judged, the score told."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from federation_audit.gateways import Ask, OpenGateway
from federation_audit.judge import Case, Failure, judge, read_case
from federation_audit.server import AuditServer


@dataclass(slots=True)
class Score:
    """What one pass found."""

    way: str
    cases: int = 0
    failures: list[Failure] = field(default_factory=list)

    def to_text(self) -> str:
        """`N of 199`, then the names of the cases that failed."""
        lines = [f"{self.way}: {self.cases - len(self.failures)} of {self.cases}"]
        lines += [f"  {failure.case.name}: {failure.reason}" for failure in self.failures]
        return "\n".join(lines)

    def to_report(self) -> str:
        """The score with query, wanted and given answer of each failure."""
        parts = [self.to_text()]
        for failure in self.failures:
            wanted = {"data": failure.case.data, "errors": failure.case.errors}
            parts.append(
                f"## {failure.case.name}: {failure.reason}\n{failure.case.query}\nwanted {wanted}\ngot    {failure.got}"
            )
        return "\n\n".join(parts)


async def run_suites(way: str, server: AuditServer, open_gateway: OpenGateway, only: str = "") -> Score:
    """Ask every case of every suite whose id contains `only`."""
    score = Score(way)
    for suite in server.suites():
        if only not in suite:
            continue
        cases = [read_case(suite, number, raw) for number, raw in enumerate(server.cases(suite), start=1)]
        score.cases += len(cases)
        score.failures += await _run_suite(cases, server.supergraph_sdl(suite), open_gateway)
    return score


async def _run_suite(cases: list[Case], supergraph_sdl: str, open_gateway: OpenGateway) -> list[Failure]:
    try:
        with open_gateway(supergraph_sdl) as ask:
            return [failure for case in cases if (failure := await _run_case(case, ask))]
    except Exception as error:  # noqa: BLE001 - a supergraph that cannot be loaded fails its cases, not the run
        return [Failure(case, None, f"gateway: {type(error).__name__}: {error}") for case in cases]


async def _run_case(case: Case, ask: Ask) -> Failure | None:
    try:
        return judge(case, await ask(case.query))
    except Exception as error:  # noqa: BLE001 - the engine must never raise; here that is a finding
        return Failure(case, None, f"{type(error).__name__}: {error}")


def write_report(path: Path, scores: list[Score]) -> None:
    """Write all scores into one file, replacing it in whole."""
    unfinished = path.with_suffix(".part")
    unfinished.write_text("\n\n".join(score.to_report() for score in scores) + "\n")
    unfinished.replace(path)


def run_blocking(way: str, server: AuditServer, open_gateway: OpenGateway, only: str = "") -> Score:
    """`run_suites` for callers without a loop."""
    return asyncio.run(run_suites(way, server, open_gateway, only))
