"""Reads a series of a published mart with what is known of its counting: register, notes, and changes found."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date
from typing import Any

from psycopg import sql

from saferkc.recording.charts.catalogue import FIGURES, Series
from saferkc.recording.charts.marks import read_marks
from saferkc.recording.charts.model import ChartedSeries, Point
from saferkc.recording.reading.boroughs import home_borough
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

_Row = Mapping[str, Any]


class UnknownAreaError(Exception):
    """The mart has no such area; the message names those that are meant, perhaps."""


def read_series(
    connection: Connection,
    settings: Settings,
    series: Series,
    *,
    area: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> ChartedSeries:
    """Read a series of one area, named by code or name (default: the home borough), months ``since`` to ``until``.

    Raises ``UnknownAreaError``.
    """
    code = area_code(connection, settings, series, area)
    rows = _rows(connection, series, code, since, until)
    # ten days drawn as a month would look like a fall
    unfinished = next((row["month"] for row in rows if row["is_unfinished"]), None)
    rows = [row for row in rows if unfinished is None or row["month"] < unfinished]
    points = tuple(_point(row, series) for row in rows)
    return ChartedSeries(
        title=series.title,
        area=_area_in_words(rows[-1]) if rows else code,
        measure=series.mart.measure.replace("_", " "),
        points=points,
        marks=read_marks(connection, settings, series, rows, points),
        is_simulated=any(row["is_simulated"] for row in rows),
        source=series.mart.name,
        build_id=max((row["build_id"] for row in rows), default=None),
        caveat=(rows[-1]["caveat"] or "") if rows else "",
        unfinished=unfinished,
    )


def area_code(connection: Connection, settings: Settings, series: Series, area: str | None) -> str:
    """The code of an area that is asked for by code or name (default: the home borough).

    Raises ``UnknownAreaError``.
    """
    home = home_borough(settings.dbt_project_dir)
    asked = area or home
    table = sql.Identifier(series.mart.schema, series.mart.table)
    exact = sql.SQL("select true from {} where geography_code = %s limit 1").format(table)
    if connection.execute(exact, [asked]).fetchone():
        return asked
    areas = connection.execute(
        sql.SQL("select distinct geography_code, geography_name, borough_code from {}").format(table)
    ).fetchall()
    wanted = asked.strip().lower()
    found = sorted({(code, borough) for code, name, borough in areas if wanted in (code.lower(), name.lower())})
    if len(found) > 1:
        # wards of several boroughs have one name
        found = [(code, borough) for code, borough in found if borough == home] or found
    if len(found) == 1:
        return str(found[0][0])
    if found:
        raise UnknownAreaError(f"several areas are called {asked}: {', '.join(code for code, _ in found)}")
    names = {name.lower(): name for _, name, _ in areas}
    near = [names[name] for name in difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)]
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    raise UnknownAreaError(f"{series.mart.name} has no area {asked}{meant}")


def _area_in_words(row: _Row) -> str:
    return f"{row['geography_name']} ward" if row["geography_type"] == "ward" else str(row["geography_name"])


def _rows(
    connection: Connection, series: Series, code: str, since: date | None, until: date | None
) -> list[dict[str, Any]]:
    mart = series.mart
    taken = [
        "month", "geography_type", "geography_name", "borough_code", "ward_code", "regime_key", "comparability",
        "caveat", "is_whole_series", "is_newest_month", "is_unfinished", "is_simulated", "build_id",
        *(f"{mart.measure}{kind}" for kind in FIGURES),
    ]  # fmt: skip
    query = sql.SQL(
        "select {} from {} where geography_code = %(code)s and {} = %(class)s"
        " and month between coalesce(%(since)s, month) and coalesce(%(until)s, month) order by month"
    ).format(
        sql.SQL(", ").join(map(sql.Identifier, taken)),
        sql.Identifier(mart.schema, mart.table),
        sql.Identifier(mart.class_column),
    )
    wanted = {"code": code, "class": series.class_name, "since": since, "until": until}
    return fetch_all(connection, query.as_string(connection), wanted)


def _point(row: _Row, series: Series) -> Point:
    measure = series.mart.measure
    as_recorded, comparable, low, high = (
        None if (value := row[f"{measure}{kind}"]) is None else float(value) for kind in FIGURES
    )
    # comparability says break where the month is not final as well
    comparability = "provisional" if row["is_newest_month"] else row["comparability"]
    return Point(row["month"], as_recorded, comparable, low, high, comparability)
