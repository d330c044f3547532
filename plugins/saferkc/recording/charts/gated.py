"""A series as an audience may see it: its small months left out, the others rounded."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from psycopg import sql

from saferkc.disclosure import Cell, Equality, Rule, gate_count, gate_range, protect, read_rules
from saferkc.recording.charts.catalogue import FIGURES, Series
from saferkc.recording.charts.model import ChartedSeries, Figure, Point
from saferkc.recording.charts.read import area_code, read_series
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection

# what the detector found is told in figures as they were counted
_FOUND = {"suspected", "registered", "confirmed", "rejected"}
_FIGURES: tuple[Figure, ...] = ("as_recorded", "comparable")
# where a mart's caveat names an estimate (macros/comparability.sql, estimate_in_words)
_ESTIMATE = re.compile(
    r"(?:By the rule of today it would be|Made of the wards of its day: it would have been) [^.]*\.\s*"
)
# a class of a mart, and whether as it was recorded or by the rule of today
_Count = tuple[str, Figure]
_Counts = Mapping[date, Mapping[_Count, int]]


def read_gated(
    connection: Connection, settings: Settings, series: Series, *, audience: str, area: str | None = None
) -> ChartedSeries:
    """Read a series of one area (default: the home borough) as an audience may see it: for pages and messages.

    The other classes of its mart can be asked for as well: a month that would tell one of them is left out, too.
    Raises ``UnknownAreaError`` and ``DisclosureError``.
    """
    rule = read_rules(settings.disclosure_file).rule(audience, series.mart.name)
    code = area_code(connection, settings, series, area)
    read = read_series(connection, settings, series, area=code)
    if not rule.values_left:
        return gated(read, rule)
    return gated(read, rule, hidden_months(_counts(connection, series, code), series.class_name, rule))


def hidden_months(counts: _Counts, class_name: str, rule: Rule) -> set[date]:
    """The months in which a class may not be shown because it would give another class of its mart away."""
    found = set()
    for month, all_held in counts.items():
        is_same = all(all_held.get((name, "as_recorded")) == count for (name, _), count in all_held.items())
        held = {one: count for one, count in all_held.items() if one[1] == "as_recorded" or not is_same}
        equalities = _equalities(held)
        # a class is given up before what it is a part of
        cells = [Cell(one, count, frozenset({one}), importance=float(is_whole(one[0]))) for one, count in held.items()]
        given_up = protect(rule, cells, equalities) if equalities else frozenset()
        if given_up & {(class_name, figure) for figure in _FIGURES}:
            found.add(month)
    return found


def is_whole(name: str) -> bool:
    """Whether a class is all that its mart counts, or all of one of its kinds."""
    return name == "all" or name.endswith("_all")


def _equalities(held: Mapping[_Count, int]) -> list[Equality]:
    """The wholes of a month that their classes add up to; classes that overlap do not."""
    found: list[Equality] = []
    for (whole, figure), count in held.items():
        if is_whole(whole):
            stem = whole.removesuffix("all")
            classes = [name for name, of in held if of == figure and name.startswith(stem) and not is_whole(name)]
            if classes and sum(held[name, figure] for name in classes) == count:
                found.append(((whole, figure), frozenset((name, figure) for name in classes)))
    return found


def _counts(connection: Connection, series: Series, code: str) -> _Counts:
    """What all classes of a mart count in an area, by month; by the rule of today where that is exact."""
    mart = series.mart
    recorded, comparable, low, high = (sql.Identifier(f"{mart.measure}{kind}") for kind in FIGURES)
    query = sql.SQL(
        "select month, {name}, {recorded}, case when {low} = {high} then {comparable} end"
        " from {mart} where geography_code = %s"
    ).format(
        name=sql.Identifier(mart.class_column), recorded=recorded, comparable=comparable, low=low, high=high,
        mart=sql.Identifier(mart.schema, mart.table),
    )  # fmt: skip
    found: dict[date, dict[_Count, int]] = defaultdict(dict)
    for month, name, *figures in connection.execute(query, [code]).fetchall():
        for figure, count in zip(_FIGURES, figures, strict=True):
            if count is not None and count == int(count):
                found[month][name, figure] = int(count)
    return found


def gated(series: ChartedSeries, rule: Rule, hidden: Collection[date] = ()) -> ChartedSeries:
    """Return the series as the rule lets it be shown. ``hidden`` are months that may not be shown besides.

    A month that is not shown has no figure, and so no line goes through it; the chart says why.
    """
    if rule.round_to == 1 and rule.suppress_up_to < 0 and not hidden:
        return series
    said = f"Figures are rounded to {rule.round_to}; months of {rule.suppress_up_to} or fewer are left out."
    return replace(
        series,
        points=tuple(_gated(point, rule, is_hidden=point.month in hidden) for point in series.points),
        marks=tuple(replace(mark, words="") if mark.kind in _FOUND else mark for mark in series.marks),
        caveat=without_estimate(series.caveat),
        how_shown=said,
    )


def without_estimate(caveat: str) -> str:
    """Return a mart's caveat without the estimate that it names: that is a figure, and stands in it as it was made."""
    return _ESTIMATE.sub("", caveat).strip()


def _gated(point: Point, rule: Rule, *, is_hidden: bool) -> Point:
    if is_hidden:
        kept: frozenset[Figure] = frozenset({"as_recorded"} if point.comparable is None else _FIGURES)
        return Point(point.month, None, comparability=point.comparability, suppressed=kept)
    shown = gate_count(rule, point.as_recorded)
    if point.is_restated:
        estimate = gate_range(rule, point.comparable, point.low, point.high)
        if not point.has_bounds:
            estimate = replace(estimate, low=estimate.value, high=estimate.value)
        suppressed = _suppressed(as_recorded=shown.is_suppressed, comparable=estimate.is_suppressed)
        return Point(
            point.month, shown.value, estimate.value, estimate.low, estimate.high, point.comparability, suppressed
        )
    # by the rule of today it is the same figure
    comparable = shown.value if point.comparable is not None else None
    suppressed = _suppressed(
        as_recorded=shown.is_suppressed, comparable=shown.is_suppressed and point.comparable is not None
    )
    return Point(point.month, shown.value, comparable, comparable, comparable, point.comparability, suppressed)


def _suppressed(**figures: bool) -> frozenset[Figure]:
    return frozenset(figure for figure in _FIGURES if figures[figure])
