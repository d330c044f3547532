"""The chart in a message: the published series that a change in counting is about."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence, Set
from typing import Any

import psycopg
from psycopg import sql

from saferkc.recording.charts.catalogue import Mart, Series, read_catalogue
from saferkc.recording.charts.gated import is_whole, read_gated
from saferkc.recording.charts.marks import targets_of
from saferkc.recording.reading.boroughs import home_borough
from saferkc.recording.reading.trees import series_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection

_log = logging.getLogger(__name__)


def picture_of(
    connection: Connection, settings: Settings, changes: Sequence[Mapping[str, Any]], *, audience: str
) -> bytes | None:
    """Return the chart (PNG) of the first of the changes that a published series shows; None where none does.

    It shows the figures that the audience may see.

    A message is sent without its picture rather than not at all.
    """
    if not changes:
        return None
    try:
        with connection.transaction():  # a mart that is not as expected must not spoil the caller's transaction
            found = next(filter(None, (_series_of(connection, settings, change) for change in changes)), None)
            if found is None:
                return None
            series = read_gated(connection, settings, found, audience=audience)
        if not series.points:
            return None
        from saferkc.recording.charts.picture import draw  # noqa: PLC0415 - takes a second, and most have no picture

        return draw(series, "png")
    except psycopg.Error as error:
        _log.warning("no picture: %s", type(error).__name__)
        return None


def _series_of(connection: Connection, settings: Settings, change: Mapping[str, Any]) -> Series | None:
    """The published series in which a change shows: the class that it names, else one that it moves, else the whole."""
    label, whole = change["series"], change["parent_series"] or change["series"]
    targets = targets_of(connection, change["change_id"])
    names = {series_of(change["feed"], whole, label), *(name for name, _ in targets if name)}
    moved = {one for _, one in targets}
    is_published = change["feed"].startswith(("mps_", "police_open"))
    shelf = [series for series in read_catalogue(connection).series if series.mart.is_published == is_published]
    registered = {mart: _classes(connection, settings, mart, names) for mart in {series.mart for series in shelf}}

    def how_far(series: Series) -> tuple[bool, bool, bool]:
        is_named = series.class_name.replace("_", " ") in label.casefold()
        return (
            not is_named or is_whole(series.class_name),
            series.class_name not in moved,
            not is_whole(series.class_name),
        )

    return min((one for one in shelf if one.class_name in registered[one.mart]), key=how_far, default=None)


def _classes(connection: Connection, settings: Settings, mart: Mart, names: Set[str]) -> set[str]:
    """Classes of a mart that the register counts among some series."""
    query = sql.SQL(
        "select distinct m.{} from {} as m inner join core.dim_recording_regime as r using (regime_key)"
        " where m.geography_code = %s and r.series = any(%s)"
    ).format(sql.Identifier(mart.class_column), sql.Identifier(mart.schema, mart.table))
    rows = connection.execute(query, (home_borough(settings.dbt_project_dir), list(names))).fetchall()
    return {row[0] for row in rows}
