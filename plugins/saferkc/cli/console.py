"""What the command line writes: quiet, plain lines where nobody watches, tables where somebody does."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

# piped or logged output must not be wrapped at a terminal's width
out = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
_STATES = {
    "success": "green",
    "published": "green",
    "arrived": "green",
    "running": "yellow",
    "loading": "yellow",
    "expected": "yellow",
    "failed": "red",
    "held": "red",
    "late": "red",
    "refused": "red",
    "not due": "dim",
}


def complain(message: str) -> None:
    """Write one line to stderr."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"saferkc: {message}"))


def say(message: str) -> None:
    """Write one line."""
    out.print(Text(message))


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """Write a table; numbers stand to the right."""
    rows = [list(row) for row in rows]
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        is_number = bool(rows) and all(isinstance(row[number], int | None) for row in rows)
        drawn.add_column(heading, justify="right" if is_number else "left", header_style="dim", overflow="fold")
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row))
    wide = Console(highlight=False, width=None if sys.stdout.isatty() else 400)
    wide.print(drawn)


def _cell(value: object) -> Text:
    if value is None:
        return Text("")
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return Text(text, style=_STATES.get(text, ""))


class Progress:
    """Tells what is being done: one changing line on a terminal, a line a step elsewhere."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._status = out.status("") if out.is_terminal else None

    def step(self, message: str) -> None:
        """Say what is being done now."""
        if self._status is None:
            say(message)
        else:
            self._status.update(Text(message))

    def state(self, name: str, state: str) -> None:
        """Say how one of several things stands; one that ended stays on the screen."""
        self._states[name] = state
        if self._status is None:
            say(f"{state}: {name}")
            return
        if state not in ("queued", "running"):
            out.print(Text.assemble((f"{state:>16} ", _STATES.get(state, "dim")), name))
        running = [name for name, known in self._states.items() if known in ("queued", "running")]
        self._status.update(Text(f"running {', '.join(running)}" if running else "finishing"))

    def __enter__(self) -> Progress:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress for as long as something takes."""
    with Progress() as shown:
        yield shown
