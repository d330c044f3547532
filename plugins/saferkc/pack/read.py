"""Reads what a pack needs of the published build: monthly marts, the plan's figures, and what is known of the build.

Of ``quality`` it reads the ledgers only (deliveries of the build, alerts); never raw, never what dbt builds beside.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg import sql

from saferkc.contracts import load_contracts
from saferkc.pack.outline import Row
from saferkc.recording.charts.catalogue import FIGURES, Series, read_catalogue
from saferkc.recording.reading.boroughs import home_borough
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all


class NoFiguresError(Exception):
    """Nothing is published, or not for the month; the message says for which months there are figures."""


@dataclass(frozen=True)
class Month:
    """One month of a series: counts as recorded and by the rule of today, and whether it may be compared."""

    month: date
    recorded: int
    comparable: float | None
    low: float | None
    high: float | None
    comparability: str
    caveat: str
    change: int | None
    comparable_change: float | None
    change_reason: str
    is_finished: bool
    is_simulated: bool

    @property
    def is_exact(self) -> bool:
        """Whether the figure by the rule of today is known and no estimate."""
        return self.comparable is not None and self.low == self.comparable == self.high


@dataclass(frozen=True)
class Build:
    """The published build."""

    build_id: int
    published_at: datetime


def read_build(connection: Connection) -> Build:
    """Return the published build. Raises ``NoFiguresError`` where there is none."""
    found = connection.execute("select to_regclass('core.published_build') is not null").fetchone()
    rows = (
        fetch_all(connection, "select build_id, published_at from core.published_build") if found and found[0] else []
    )
    if not rows:
        raise NoFiguresError("nothing is published yet: run `saferkc nightly` first")
    return Build(**rows[0])


def find_series(connection: Connection, rows: Iterable[Row]) -> dict[str, Series]:
    """Return the series of each label. Raises ``NoFiguresError`` where a mart has no such class."""
    wanted = list(rows)
    known = {
        (series.mart.name, series.class_name): series
        for series in read_catalogue(connection, only={row.mart for row in wanted}).series
    }
    missing = [f"{row.mart}, {row.class_}" for row in wanted if (row.mart, row.class_) not in known]
    if missing:
        raise NoFiguresError(
            f"the published build has no series {'; '.join(missing)}: build it, or take it from the pack"
        )
    return {row.label: known[row.mart, row.class_] for row in wanted}


def read_months(connection: Connection, settings: Settings, series: Series) -> dict[date, Month]:
    """Return every month of a series of the home borough."""
    mart = series.mart
    change = {"change_on_same_month_last_year", "comparable_change_on_same_month_last_year"}
    columns = ["month", "comparability", "caveat", "change_reason", "is_unfinished", "is_simulated", *sorted(change)]
    query = sql.SQL("select {} from {} where geography_code = %s and {} = %s order by month").format(
        sql.SQL(", ").join(map(sql.Identifier, [*columns, *(f"{mart.measure}{kind}" for kind in FIGURES)])),
        sql.Identifier(mart.schema, mart.table),
        sql.Identifier(mart.class_column),
    )
    asked = [home_borough(settings.dbt_project_dir), series.class_name]
    return {
        row["month"]: _month(row, mart.measure) for row in fetch_all(connection, query.as_string(connection), asked)
    }


def _month(row: Mapping[str, Any], measure: str) -> Month:
    recorded, comparable, low, high = (row[f"{measure}{kind}"] for kind in FIGURES)
    change = row["comparable_change_on_same_month_last_year"]
    return Month(
        month=row["month"],
        recorded=int(recorded),
        comparable=None if comparable is None else float(comparable),
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        comparability=row["comparability"],
        caveat=row["caveat"] or "",
        change=row["change_on_same_month_last_year"],
        comparable_change=None if change is None else float(change),
        change_reason=row["change_reason"] or "",
        is_finished=not row["is_unfinished"],
        is_simulated=row["is_simulated"],
    )


def read_plan(connection: Connection, figures: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the rows of ``partnership.plan_figure`` by figure, with ``by_year``: financial year to value."""
    wanted = list(figures)
    rows = fetch_all(
        connection,
        "select figure_id, measure_name, unit, decimals, financial_year, published_value, computed_value, status"
        " from partnership.plan_figure where figure_id = any(%s)",
        [wanted],
    )
    found = {row["figure_id"]: {**row, "by_year": {}} for row in rows}
    for row in fetch_all(
        connection,
        "select figure_id, financial_year, computed_value from partnership.plan_measure where figure_id = any(%s)",
        [wanted],
    ):
        if row["figure_id"] in found and row["computed_value"] is not None:
            found[row["figure_id"]]["by_year"][row["financial_year"]] = float(row["computed_value"])
    return found


def read_columns(connection: Connection, settings: Settings, mart: str, columns: Iterable[str]) -> dict[str, Any]:
    """Return counts of a yearly mart for the home borough: financial year to column to count."""
    wanted = sorted(set(columns))
    query = sql.SQL("select financial_year, {} from {} where borough_code = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, wanted)), sql.Identifier(*mart.split("."))
    )
    rows = fetch_all(connection, query.as_string(connection), [home_borough(settings.dbt_project_dir)])
    return {row["financial_year"]: {column: row[column] for column in wanted} for row in rows}


def late_feeds(connection: Connection, settings: Settings, build: Build, month: date) -> list[str]:
    """Say of each feed that the build had not wholly received for the month, until when its deliveries reach."""
    rows = fetch_all(
        connection,
        "select feed, max(covers_to) as covers_to from quality.delivery"
        " inner join quality.build_delivery using (delivery_id)"
        " where build_id = %s and state = 'admitted' group by feed",
        [build.build_id],
    )
    reached = {row["feed"]: row["covers_to"] for row in rows}
    end = last_day(month)
    said = []
    for feed, contract in sorted(load_contracts(settings.contracts_dir).items()):
        until = reached.get(feed)
        if until is None:
            said.append(f"{contract.name}: nothing has been delivered.")
        elif (end - until).days >= contract.days_between_deliveries:
            said.append(f"{contract.name}: delivered up to {until.day} {until:%B %Y} only.")
    return said


def open_alerts(connection: Connection, build: Build) -> tuple[list[str], int]:
    """Return the titles of the community safety team's alerts that were open at publishing, and how many others."""
    rows = fetch_all(
        connection,
        "select title, audience from quality.alert where first_seen_at <= %(at)s"
        " and (resolved_at is null or resolved_at > %(at)s) order by first_seen_at, alert_id",
        {"at": build.published_at},
    )
    for_team = [row["title"] for row in rows if row["audience"] == "community_safety_team"]
    return for_team, len(rows) - len(for_team)


def last_day(month: date) -> date:
    """The last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])
