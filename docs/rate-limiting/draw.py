"""Draws the plots of docs/rate-limiting.md and computes its table from the real code: `python docs/rate-limiting/draw.py`.

Writes boundary.svg beside itself and the table between the markers of ../rate-limiting.md; `--check` only compares.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from trivium_common.ratelimit.fixed_window import FixedWindow
from trivium_common.ratelimit.leaky_bucket import LeakyBucket
from trivium_common.ratelimit.local import LocalLimiter
from trivium_common.ratelimit.rules import Rule, Window
from trivium_common.ratelimit.sliding_counter import SlidingCounter
from trivium_common.ratelimit.sliding_log import SlidingLog
from trivium_common.ratelimit.token_bucket import TokenBucket

HERE = Path(__file__).parent
PAGE = HERE.parent / "rate-limiting.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"

MINUTE_S = 60
START_S = 50
# A hundred a minute, in five ways (and a bucket with little saved up).
SUBJECTS: list[tuple[str, str, Window]] = [
    ("fixed window", "#d1495b", FixedWindow(100, MINUTE_S)),
    ("sliding counter", "#e69f00", SlidingCounter(100, MINUTE_S)),
    ("sliding log", "#2e7d32", SlidingLog(100, MINUTE_S)),
    ("token bucket, burst 100", "#1565c0", TokenBucket(rate=100, period_s=MINUTE_S, burst=100)),
    ("token bucket, burst 20", "#64b5f6", TokenBucket(rate=100, period_s=MINUTE_S, burst=20)),
    ("leaky bucket, queue 20", "#6a1b9a", LeakyBucket(rate=100, period_s=MINUTE_S, queue=20)),
]


class HeldClock:
    """A clock that stands where it is put; it starts ten seconds before a minute is full."""

    now_ns = 0


def play(window: Window, at_s: Sequence[float]) -> tuple[list[float], float]:
    """When each request that came at `at_s` went on to the upstream, and the longest that one was held."""
    clock = HeldClock()
    limiter = LocalLimiter(Rule("plot", (window,)), clock_ns=lambda: clock.now_ns)
    left, longest_s = [], 0.0
    for second in at_s:
        clock.now_ns = round(second * 1e9)
        verdict = limiter.take_nowait("ada")
        if verdict.allowed:
            left.append(second + verdict.delay_s)
            longest_s = max(longest_s, verdict.delay_s)
    return left, longest_s


def worst(times: Sequence[float], length_s: float) -> int:
    """The most that passed in any stretch of `length_s`."""
    # In whole microseconds, as the limits count: in floats a stretch may seem shorter than it is.
    at_us = [round(second * 1e6) for second in times]
    most, first = 0, 0
    for last, end_us in enumerate(at_us):
        while at_us[first] <= end_us - round(length_s * 1e6):
            first += 1
        most = max(most, last - first + 1)
    return most


def greedy() -> list[float]:
    """Twenty a second, from ten seconds before the minute is full, for three minutes."""
    return [START_S + n / 20 for n in range(20 * 180)]


def at_the_boundary() -> list[float]:
    """A hundred in the last second of a minute and a hundred in the first of the next."""
    return [MINUTE_S - 1 + n / 100 for n in range(200)]


def steady() -> list[float]:
    """Ninety a minute, evenly, for three minutes."""
    return [START_S + n * MINUTE_S / 90 for n in range(270)]


def table() -> str:
    """What each lets through, as Markdown."""
    lines = [
        "| 100 a minute | 200 around the boundary: passed | greedy: worst second | worst minute | three minutes "
        "| 90 a minute: refused | longest hold |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, _, window in SUBJECTS:
        boundary, _ = play(window, at_the_boundary())
        passed, held_s = play(window, greedy())
        evenly, _ = play(window, steady())
        lines.append(
            f"| {name} | {len(boundary)} | {worst(passed, 1)} | {worst(passed, MINUTE_S)} | {len(passed)} "
            f"| {270 - len(evenly)} | {held_s:.1f} s |"
        )
    return "\n".join(lines)


WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 400, 50, 40, 20, 190
UNTIL_S, MOST = 180, 350


def x_of(second: float) -> float:
    """Where `second` lies on the plot."""
    return LEFT + (second - START_S) / (UNTIL_S - START_S) * (WIDTH - LEFT - RIGHT)


def y_of(count: float) -> float:
    """Where `count` lies on the plot."""
    return HEIGHT - BOTTOM - count / MOST * (HEIGHT - BOTTOM - TOP)


def steps(times: Sequence[float]) -> str:
    """A staircase through what passed, as an SVG path."""
    path = [f"M{x_of(START_S):.1f},{y_of(0):.1f}"]
    for count, second in enumerate(times, start=1):
        if second > UNTIL_S:
            break
        path.append(f"H{x_of(second):.1f}")
        path.append(f"V{y_of(count):.1f}")
    return "".join([*path, f"H{x_of(UNTIL_S):.1f}"])


def plot() -> str:
    """What passes of a greedy caller, over time, for each way."""
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="none">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for count in range(0, MOST + 1, 50):
        y = y_of(count)
        out.append(f'<path d="M{LEFT},{y:.1f}H{WIDTH - RIGHT}" stroke="#e5e5e5"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#333">{count}</text>')
    for second in range(60, UNTIL_S + 1, 20):
        x = x_of(second)
        colour = "#999" if second % 60 == 0 else "#eee"
        out.append(f'<path d="M{x:.1f},{TOP}V{HEIGHT - BOTTOM}" stroke="{colour}"/>')
        out.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#333">{second} s</text>'
        )
    for n, (name, colour, window) in enumerate(SUBJECTS):
        passed, _ = play(window, greedy())
        out.append(f'<path d="{steps(passed)}" stroke="{colour}" stroke-width="1.8"/>')
        y = TOP + 14 + n * 20
        out.append(f'<path d="M{WIDTH - RIGHT + 12},{y - 4}h22" stroke="{colour}" stroke-width="3"/>')
        out.append(f'<text x="{WIDTH - RIGHT + 40}" y="{y}" fill="#333">{name}</text>')
    out.append(
        f'<text x="{LEFT}" y="{HEIGHT - 6}" fill="#333">requests passed of 20 a second; limit 100 a minute; '
        "grey lines are full minutes</text>"
    )
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    """Write the plot and the table, or say whether they are as they should be."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    files = {HERE / "boundary.svg": plot(), PAGE: f"{before}{BEGIN}\n{table()}\n{END}{after}"}
    if "--check" in sys.argv:
        return int(
            any(not path.exists() or path.read_text(encoding="utf-8") != text for path, text in files.items())
        )
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
