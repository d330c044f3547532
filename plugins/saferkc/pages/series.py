"""Series: which there are, what register and areas they belong to, and one of them with its breaks and bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from psycopg import sql

from saferkc.recording.charts.catalogue import Catalogue, Mart, Series, read_catalogue
from saferkc.recording.charts.model import ChartedSeries, Mark, Point
from saferkc.recording.reading.boroughs import home_borough
from saferkc.recording.reading.trees import series_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

_PUBLISHED = "select max(build_id) as build_id from quality.build where state = 'published'"
# which classes belong to which series of the register, and which areas there are: read by leaps through the index
_REGISTERED = """
select distinct m.{class_column} as class_name, r.series
from {mart} as m inner join core.dim_recording_regime as r using (regime_key)
where m.geography_code = {home}
"""
_AREAS = """
with recursive area as (
    (select geography_type, geography_code from {mart} order by geography_type, geography_code limit 1)
    union all
    select next.geography_type, next.geography_code
    from area
    cross join lateral (
        select geography_type, geography_code from {mart} as m
        where (m.geography_type, m.geography_code) > (area.geography_type, area.geography_code)
        order by m.geography_type, m.geography_code limit 1
    ) as next
)

select area.geography_type, area.geography_code, named.geography_name
from area
cross join lateral (
    select geography_name from {mart} as m
    where m.geography_type = area.geography_type and m.geography_code = area.geography_code limit 1
) as named
order by area.geography_type, named.geography_name
"""


@dataclass(frozen=True)
class Area:
    """An area of a mart; ``kind`` is its type of geography, as in "ward"."""

    kind: str
    code: str
    name: str


@dataclass(frozen=True)
class Shelf:
    """What one published build offers: its series by name, and the names by series of the register."""

    build_id: int
    catalogue: Catalogue
    by_register: Mapping[str, Sequence[str]]
    home: str
    areas: dict[str, tuple[Area, ...]] = field(default_factory=dict)

    @cached_property
    def by_mart(self) -> dict[str, list[tuple[str, Series]]]:
        """Names and series by mart, in order, as a picker shows them."""
        named = sorted(self.catalogue.names.items(), key=lambda pair: (pair[1].mart.name, pair[1].title))
        return {mart: list(group) for mart, group in groupby(named, key=lambda pair: pair[1].mart.name)}

    def of_change(self, change: Mapping[str, Any]) -> list[str]:
        """The names of the series that a change of the ledger concerns, wholes first."""
        label, whole = change["series"], change["parent_series"] or ""
        concerned = {label, whole, series_of(change["feed"], whole, label)}
        is_published = change["feed"].startswith("mps_")
        names = [
            name
            for series in sorted(concerned)
            for name in self.by_register.get(series, ())
            if self.catalogue.names[name].mart.is_published == is_published
        ]
        return sorted(dict.fromkeys(names), key=lambda name: (self.catalogue.names[name].class_name != "all", name))


def read_shelf(connection: Connection, settings: Settings) -> Shelf | None:
    """What the last published build offers, None where none was published.

    Kept until the next build is published: reading it costs a few queries a mart.
    """
    build_id = fetch_all(connection, _PUBLISHED)[0]["build_id"]
    if build_id is None:
        return None
    shelf = _kept.get(settings.warehouse_url)
    if shelf is None or shelf.build_id != build_id:
        shelf = _kept[settings.warehouse_url] = _read(connection, settings, build_id)
    return shelf


_kept: dict[str, Shelf] = {}


def _read(connection: Connection, settings: Settings, build_id: int) -> Shelf:
    catalogue, home = read_catalogue(connection), home_borough(settings.dbt_project_dir)
    named = {(series.mart.name, series.class_name): name for name, series in catalogue.names.items()}
    by_register: dict[str, list[str]] = defaultdict(list)
    for mart in {series.mart.name: series.mart for series in catalogue.series}.values():
        query = sql.SQL(_REGISTERED).format(
            class_column=sql.Identifier(mart.class_column), mart=_table(mart), home=sql.Literal(home)
        )
        for row in fetch_all(connection, query.as_string(connection)):
            by_register[row["series"]].append(named[mart.name, row["class_name"]])
    return Shelf(build_id, catalogue, {series: sorted(names) for series, names in by_register.items()}, home)


def read_areas(connection: Connection, shelf: Shelf, mart: Mart) -> tuple[Area, ...]:
    """The areas that a mart has figures for, by type and name."""
    if mart.name not in shelf.areas:
        query = sql.SQL(_AREAS).format(mart=_table(mart)).as_string(connection)
        shelf.areas[mart.name] = tuple(Area(*row.values()) for row in fetch_all(connection, query))
    return shelf.areas[mart.name]


def _table(mart: Mart) -> sql.Identifier:
    return sql.Identifier(mart.schema, mart.table)


@dataclass(frozen=True)
class Row:
    """A month in the table beside a chart; ``begins`` are the marks that begin with it."""

    point: Point
    begins: tuple[Mark, ...]


def rows_of(series: ChartedSeries) -> list[Row]:
    """The months with a figure, the newest first, each with the changes in counting that begin with it."""
    marks = series.marks_in_sight()
    return [
        Row(point, tuple(m for m in marks if m.is_gap and m.start.replace(day=1) == point.month))
        for point in reversed(series.points)
    ]
