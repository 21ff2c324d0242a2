"""What a person sees of a stack: progress, the children's log lines behind coloured names, and what happens to them.

A terminal gets colours and a progress line (rich), everything else plain lines.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.status import Status

_PALETTE = (36, 32, 35, 33, 34, 96, 92, 95, 93, 94)
_SPEAKER = "trivium"
# A child may log what a client sent: nothing of it may move the cursor or colour the terminal.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x09), *range(0x0A, 0x20), *range(0x7F, 0xA0))}


class Console:
    """Writes for people to one stream. When the stream is gone (a closed pipe), `on_gone` is called once."""

    def __init__(
        self,
        names: Sequence[str],
        *,
        stream: TextIO | None = None,
        wants_colour: bool = True,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        self._stream = stream or sys.stdout
        self._is_terminal = self._stream.isatty()
        self._has_colour = self._is_terminal and wants_colour and "NO_COLOR" not in os.environ
        self._prefixes = self._build_prefixes(names)
        self._on_gone = on_gone
        self._is_gone = False
        self._status: Status | None = None

    def say(self, text: str) -> None:
        """One line (or a few) of the stack's own."""
        self.show_lines(_SPEAKER, text.split("\n"))

    def show_lines(self, name: str, lines: Sequence[str]) -> None:
        """Lines of a child behind its name."""
        prefix = self._prefixes[name]
        self._write("".join(f"{prefix}{line.translate(_CONTROL)}\n" for line in lines))

    def show_progress(self, ready: int, total: int, waiting: Sequence[str]) -> None:
        """How far the start is; only a terminal shows it, in one line that stays at the bottom."""
        if not self._is_terminal or self._is_gone:
            return
        if not waiting:
            self.end_progress()
            return
        text = f"{ready} of {total} ready, waiting for {', '.join(waiting)}"
        if self._status is None:
            self._status = self._rich().status(text)
            self._status.start()
        else:
            self._status.update(text)

    def end_progress(self) -> None:
        """Take the progress line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def show_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table, as wide as its content: a cut address is worth nothing."""
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in columns:
            table.add_column(column, no_wrap=True)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        rich = self._rich(width=500)
        with rich.capture() as capture:
            rich.print(table)
        self._write("\n" + "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")

    def show_command(self, title: str, command: str) -> None:
        """A command to paste, never wrapped, below a comment."""
        comment = f"\x1b[2m# {title}\x1b[0m" if self._has_colour else f"# {title}"
        self._write(f"\n{comment}\n{command}\n")

    def _write(self, text: str) -> None:
        if self._is_gone:
            return
        try:
            # While progress is shown rich stands in for sys.stdout and keeps its line below ours.
            stream = sys.stdout if self._status is not None else self._stream
            stream.write(text)
            stream.flush()
        except OSError:
            self._is_gone = True
            self._on_gone()

    def _rich(self, width: int | None = None) -> "RichConsole":
        from rich.console import Console as RichConsole

        return RichConsole(
            file=self._stream,
            width=width,
            color_system="auto" if self._has_colour else None,
            highlight=False,
            emoji=False,
        )

    def _build_prefixes(self, names: Sequence[str]) -> dict[str, str]:
        width = max(len(name) for name in (*names, _SPEAKER))
        prefixes = {}
        for index, name in enumerate(names):
            text = f"{name:<{width}} | "
            colour = _PALETTE[index % len(_PALETTE)]
            prefixes[name] = f"\x1b[{colour}m{text}\x1b[0m" if self._has_colour else text
        own = f"{_SPEAKER:<{width}} | "
        prefixes[_SPEAKER] = f"\x1b[1m{own}\x1b[0m" if self._has_colour else own
        return prefixes
