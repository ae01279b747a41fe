"""What a command writes: its result to standard output, progress and remarks to standard error.

Colours and progress are for a terminal only; `NO_COLOR` (https://no-color.org) takes the colours away. What comes from Azure never
becomes markup or an escape sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from handlers.cli.outcome import NotDone
from handlers.model.text import one_line, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.text import Text

WIDEST_PROSE = 110
"""Columns: longer lines of prose are hard to read."""
SMALLEST_TERMINAL = 40


class Screen:
    """Both streams, each as wide as its terminal. `quiet`: the result only."""

    def __init__(self, environment: Mapping[str, str], out: IO[str], err: IO[str], *, quiet: bool = False) -> None:
        try:
            from rich.console import Console
        except ImportError:
            raise NotDone("The package rich is missing: pip install -r requirements-terminal.txt") from None
        plain: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False, "_environ": environment}
        self.out: Console = Console(file=out, **plain)
        self._err: Console = Console(file=err, **plain)
        self._file, self._quiet = out, quiet

    @property
    def width(self) -> int:
        return max(self.out.width, SMALLEST_TERMINAL)

    def write(self, text: str) -> None:
        """Text for a program or a file: as it is, whatever the terminal."""
        self._file.write(text if text.endswith("\n") else f"{text}\n")

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the result, broken between words; it is cleaned of what controls a terminal."""
        self.text(self.styled(text, style))

    def text(self, text: Text, first: str = "", further: str = "") -> None:
        """Prose after `first`; its further lines are set in by `further`."""
        from rich.text import Text

        width = min(self.width, WIDEST_PROSE) - len(first)
        for number, part in enumerate(text.wrap(self.out, max(width, 20))):
            part.rstrip()
            self._exact(Text(further if number else first) + part)

    def code(self, text: str) -> None:
        """Lines to be copied: never broken, never set in."""
        for line in visible(text).split("\n"):
            self._exact(self.styled(line, "cyan"))

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), whole: Sequence[str] = ()
    ) -> None:
        """A table as wide as the terminal at most. `right`: aligned there; `whole`: columns that are never broken."""
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for name in columns:
            table.add_column(name, justify="right" if name in right else "left", no_wrap=name in whole, overflow="fold")
        for row in rows:
            table.add_row(*(self.styled(one_line(cell), STYLES.get(cell, "")) for cell in row))
        with self.out.capture() as drawn:
            self.out.print(table, width=self.width)
        self._file.write("\n".join(line.rstrip() for line in drawn.get().split("\n")))

    def remark(self, text: str) -> None:
        """A line beside the result; not with `--quiet`."""
        if not self._quiet:
            self._err.print(self.styled(one_line(text, 1000), "dim"), soft_wrap=True)

    def problem(self, text: str) -> None:
        """A line that makes the result worth less than it looks."""
        self._err.print(self.styled(one_line(text, 1000), "yellow"), soft_wrap=True)

    def progress(self, what: str, total: int | None = None) -> Progress:
        """A bar with count and remaining time, gone when it is over; nothing where there is no terminal. `with screen.progress(…) as p:`"""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        counted = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) if total else ()
        off = self._quiet or not self._err.is_terminal
        progress = Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False), *counted,
                            console=self._err, transient=True, disable=off)  # fmt: skip
        progress.add_task(one_line(what), total=total)
        return progress

    def over[T](self, items: Sequence[T], what: str) -> Iterator[T]:
        """The items, with a bar that counts them."""
        with self.progress(what, len(items)) as progress:
            for item in items:
                yield item
                progress.advance(progress.task_ids[0])

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Something that takes a while and cannot be counted."""
        with self.progress(what):
            yield

    def styled(self, text: str, style: str = "") -> Text:
        from rich.text import Text

        return Text(visible(text), style=style)

    def _exact(self, text: Text) -> None:
        self.out.print(text, no_wrap=True, overflow="ignore", crop=False)


class NoScreen(Screen):
    """Where nobody watches: nothing is shown."""

    def __init__(self) -> None:
        """Needs no package for a terminal."""

    def over[T](self, items: Sequence[T], what: str) -> Iterator[T]:
        return iter(items)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        yield


STYLES = {"now": "bold red", "soon": "yellow", "open": "yellow", "ok": "green", "failed": "red", "not permitted": "red"}
"""Cells that are a word to be seen."""
