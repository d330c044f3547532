"""A series as an audience may see it: its small months left out, the others rounded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from saferkc.disclosure import Rule, gate_count, gate_range
from saferkc.recording.charts.model import ChartedSeries, Point

# what the detector found is told in figures as they were counted
_FOUND = {"suspected", "registered", "confirmed", "rejected"}


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
        how_shown=said,
    )


def _gated(point: Point, rule: Rule, *, is_hidden: bool) -> Point:
    if is_hidden:
        return Point(point.month, None, comparability=point.comparability)
    shown = gate_count(rule, point.as_recorded)
    if point.is_restated:
        estimate = gate_range(rule, point.comparable, point.low, point.high)
        if not point.has_bounds:
            estimate = replace(estimate, low=estimate.value, high=estimate.value)
        return Point(point.month, shown.value, estimate.value, estimate.low, estimate.high, point.comparability)
    # by the rule of today it is the same figure
    comparable = shown.value if point.comparable is not None else None
    return Point(point.month, shown.value, comparable, comparable, comparable, point.comparability)
