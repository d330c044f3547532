"""``saferkc changes show``: a series with its breaks, on the terminal or as a picture."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from saferkc.cli.console import out, say, table
from saferkc.orchestration.lifecycle import database_up
from saferkc.recording.charts.catalogue import Catalogue, read_catalogue
from saferkc.recording.charts.read import read_series
from saferkc.recording.charts.terminal import chart_lines
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

_FORMS: dict[str, Literal["svg", "png"]] = {".svg": "svg", ".png": "png"}
# where nobody watches: wide enough for ten years
_WIDTH_OF_A_FILE = 140


class PictureError(Exception):
    """The picture can't be written; the message says why."""


def show_series(
    settings: Settings,
    name: str | None,
    *,
    mart: str | None,
    area: str | None,
    since: date | None,
    until: date | None,
    picture: Path | None,
) -> None:
    """Print a series, or write it to ``picture``; without a name, print which there are.

    Raises ``UnknownSeriesError``, ``UnknownAreaError`` and ``PictureError``.
    """
    form = None if picture is None else _FORMS.get(picture.suffix.lower())
    if picture is not None and form is None:
        raise PictureError(f"a picture is written as .svg or .png, not as {picture.name}")
    with database_up(settings), connect(settings, application_name="saferkc changes show") as connection:
        connection.read_only = True
        catalogue = read_catalogue(connection)
        if name is None:
            _list(catalogue)
            return
        charted = read_series(connection, settings, catalogue.find(name, mart), area=area, since=since, until=until)
    if picture is None or form is None:
        for line in chart_lines(charted, out.width if out.is_terminal else _WIDTH_OF_A_FILE):
            say(line)
        return
    from saferkc.recording.charts.picture import draw

    try:
        picture.write_bytes(draw(charted, form))
    except OSError as error:
        raise PictureError(f"the picture can't be written to {picture}: {error.strerror}") from error
    say(f"{charted.title}, {charted.area}: drawn in {picture}")


def _list(catalogue: Catalogue) -> None:
    if not catalogue.series:
        say("Nothing is published yet: run `saferkc nightly`.")
        return
    table(
        ["series", "what it is", "mart"],
        [[name, series.title, series.mart.name] for name, series in sorted(catalogue.names.items())],
    )
    say("\nShow one with `saferkc changes show SERIES`, such as `saferkc changes show burglary/residential`.")
