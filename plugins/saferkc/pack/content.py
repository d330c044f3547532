"""What is printed in a pack: every figure through the gate, in words and signs, for the templates to set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from saferkc.disclosure import Gated, GatedRange, Rule, gate_change, gate_count, gate_range, gate_share, read_rules
from saferkc.pack.guard import Guard
from saferkc.pack.outline import Outline, PlanFigure, Row, Section, read_outline
from saferkc.pack.periods import Comparison, Span, compare, financial_year, financial_year_start, spans_of
from saferkc.pack.read import (
    Month,
    NoFiguresError,
    find_series,
    late_feeds,
    open_alerts,
    read_build,
    read_columns,
    read_months,
    read_plan,
)
from saferkc.recording.charts.catalogue import Series
from saferkc.recording.charts.gated import gated, without_estimate
from saferkc.recording.charts.model import ChartedSeries
from saferkc.recording.charts.read import read_series
from saferkc.recording.months import months_before
from saferkc.recording.words import month_in_words
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection

_CHART_MONTHS = 45
# a percentage of fewer says more than the figures can
_ENOUGH_FOR_PERCENT = 50
_RESTATED = "What is marked [r] or [e] is the year before by the rule of today: it may be compared as it stands here."
_SMALL = "Most months are too small to be shown."
_STILL_CHANGES = ("The newest whole month", "The newest month published")
# signs of the Government Statistical Service for what a table does not show, and our own words for them
SIGNS = {
    "[c]": "not shown, so that nobody can be recognised: 7 or fewer, or a figure that would tell one of these",
    "[b]": "not compared: the way of counting changed in between",
    "[p]": "provisional: records that come late, or a decision on counting, will still change it",
    "[r]": "the year before restated by the counting rule of today",
    "[e]": "an estimate by the rule of today; in nine cases of ten the true figure lies in the range",
    "[s]": "never shown by month, since most months are too small: see the longer spans",
    "[x]": "not available",
}


@dataclass(frozen=True)
class PackContent:
    """A pack before it is set: ``values`` for the templates, and the charts by name, of gated figures only."""

    values: dict[str, Any]
    charts: dict[str, ChartedSeries]


def make_content(
    connection: Connection, settings: Settings, *, month: date | None, audience: str, made_on: date
) -> PackContent:
    """Read the published build and return what the pack of a month says to an audience.

    Without a month it is the newest that is whole. Raises ``NoFiguresError``, ``OutlineError`` and
    ``DisclosureError``.
    """
    outline = read_outline(audience)
    rules = read_rules(settings.disclosure_file)
    build = read_build(connection)
    rows = [row for section in outline.sections for row in section.rows]
    series = find_series(connection, rows)
    months = {label: read_months(connection, settings, one) for label, one in series.items()}
    chosen = _month(month, months[rows[0].label])
    since = months_before(chosen, _CHART_MONTHS - 1)
    # the strictest of them guards all: a table may hold figures of several marts
    rule = max((rules.rule(audience, row.mart) for row in rows), key=lambda one: (one.suppress_up_to, one.round_to))
    guard = Guard(rule, rows, months, chosen, since)
    maker = _Maker(connection, settings, guard, series, _plan(connection, settings, outline))
    sections = [maker.section(section) for section in outline.sections]
    simulated = any(held.is_simulated for one in months.values() for held in one.values())
    team_alerts, other_alerts = open_alerts(connection, build)
    values = {
        "title": outline.title,
        "month": month_in_words(chosen),
        "file_month": f"{chosen:%Y-%m}",
        "audience": audience,
        "made_on": _day(made_on),
        "build_id": build.build_id,
        "published_on": _day(build.published_at.date()),
        "is_simulated": simulated,
        "glance": [line for section in outline.sections for line in maker.glance(section.rows[0])],
        "spans": [{"now": span.title, "before": span.year_before().title} for span in spans_of(chosen)],
        "sections": sections,
        "signs": [{"sign": sign, "meaning": words} for sign, words in _signs(rule).items()],
        "rounding": _how_shown(rule),
        "newest_year": _newest_whole_year(chosen),
        "late": late_feeds(connection, settings, build, chosen),
        "alerts": team_alerts,
        "other_alerts": other_alerts,
    }
    return PackContent(values, maker.charts)


def _month(asked: date | None, months: Mapping[date, Month]) -> date:
    whole = sorted(month for month, held in months.items() if held.is_finished)
    if not whole:
        raise NoFiguresError("the published build holds no whole month yet")
    if asked is None:
        return whole[-1]
    if asked not in whole:
        raise NoFiguresError(
            f"no figures are published for {month_in_words(asked)}: the build holds whole months from"
            f" {month_in_words(whole[0])} to {month_in_words(whole[-1])}"
        )
    return asked


def _plan(connection: Connection, settings: Settings, outline: Outline) -> tuple[dict[str, Any], dict[str, Any]]:
    figures = [figure for section in outline.sections for figure in section.plan]
    columns: dict[str, set[str]] = defaultdict(set)
    for figure in figures:
        if figure.mart:
            columns[figure.mart] |= {name for name in (figure.part, figure.whole, figure.change_of) if name}
    counts = {mart: read_columns(connection, settings, mart, names) for mart, names in columns.items()}
    return read_plan(connection, [figure.figure for figure in figures]), counts


class _Maker:
    """Makes sections; keeps the charts that they show."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        guard: Guard,
        series: Mapping[str, Series],
        plan: tuple[dict[str, Any], dict[str, Any]],
    ) -> None:
        self.connection, self.settings, self.guard, self.series = connection, settings, guard, series
        self.figures, self.counts = plan
        self.charts: dict[str, ChartedSeries] = {}

    def section(self, section: Section) -> dict[str, Any]:
        compared = {row.label: self._compared(row) for row in section.rows}
        return {
            "title": section.title,
            "about": " ".join(section.about.split()),
            "rows": [
                {
                    "label": row.label,
                    "is_part": row.parts_of is not None,
                    "cells": [
                        self._cells(row.label, span, one)
                        for span, one in zip(self._spans(), compared[row.label], strict=True)
                    ],
                }
                for row in section.rows
            ],
            "charts": [self._chart(section, row) for row in section.rows if row.label in section.charts],
            "notes": self._notes(section.rows, compared),
            "plan": [self._plan_row(figure) for figure in section.plan],
        }

    def glance(self, row: Row) -> list[str]:
        """The financial year to date of a row, in a sentence."""
        span, compared = self._spans()[-1], self._compared(row)[-1]
        now, before, change = self._gated(row.label, span, compared)
        if now.value is None:
            return []
        said = f"{row.label}: {now.value:,.0f} from {span.title}"
        if change is None or change.value is None or before.value is None:
            return [f"{said}; not compared with the year before."]
        if abs(change.value) <= self.guard.rule.round_to:
            return [f"{said}, about as many as in the year before."]
        more = "more" if change.value > 0 else "fewer"
        return [f"{said}, {abs(change.value):,.0f} {more} than in the year before{_percent(change, before)}."]

    def _spans(self) -> tuple[Span, Span, Span]:
        return spans_of(self.guard.month)

    def _compared(self, row: Row) -> list[Comparison]:
        nothing = Comparison(None, reason="The same people may be in several months, so months are not added up.")
        small = Comparison(None, reason=_SMALL)
        months = self.guard.months[row.label]
        return [
            compare(months, span) if row.shows(len(span.months)) else small if len(span.months) == 1 else nothing
            for span in self._spans()
        ]

    def _gated(self, label: str, span: Span, compared: Comparison) -> tuple[Gated, Gated, Gated | None]:
        """A figure, that of the year before (None where it is an estimate) and the change."""
        now = self.guard.shown(label, span, compared.now)
        if compared.before is None or compared.is_estimate:
            return now, Gated(None), None
        before = self.guard.shown(label, span.year_before(), compared.before, compared.basis)
        return now, before, gate_change(now, before)

    def _cells(self, label: str, span: Span, compared: Comparison) -> dict[str, str]:
        if compared.now is None:
            sign = "[s]" if compared.reason == _SMALL else "[x]"
            return {"now": sign, "before": sign, "change": sign}
        now, before, change = self._gated(label, span, compared)
        shown = _count(now) + (" [p]" if compared.is_provisional and not now.is_suppressed else "")
        if compared.before is None:
            sign = "[b]" if compared.is_break else "[x]"
            return {"now": shown, "before": sign, "change": sign}
        if compared.is_estimate:
            estimate = gate_range(self.guard.rule, compared.before, compared.low, compared.high)
            return {"now": shown, "before": _range(estimate), "change": _change_from(now, estimate)}
        restated = " [r]" if compared.basis == "today" and not before.is_suppressed else ""
        return {"now": shown, "before": _count(before) + restated, "change": _change(change, before)}

    def _chart(self, section: Section, row: Row) -> dict[str, str]:
        series = self.series[row.label]
        read = read_series(self.connection, self.settings, series, since=self.guard.since, until=self.guard.month)
        name = f"chart-{len(self.charts) + 1}"
        shown = gated(read, self.guard.rule, self.guard.hidden_months(row.label))
        title = f"{section.title}: {row.label.lower()}" if row.parts_of else row.label
        self.charts[name] = replace(shown, title=title)
        return {"name": name, "title": title}

    def _notes(self, rows: Sequence[Row], compared: Mapping[str, Sequence[Comparison]]) -> list[str]:
        """What to tell people with the figures, each note once, with the rows that it is of."""
        said: dict[str, list[str]] = {}
        for row in rows:
            held = self.guard.months[row.label].get(self.guard.month)
            caveat = _without_still_changes(without_estimate(held.caveat)) if held is not None else ""
            restated = _RESTATED if any(one.basis == "today" for one in compared[row.label]) else ""
            for text in (caveat, restated, *(one.reason for one in compared[row.label] if one.before is None)):
                if text and text != _SMALL and row.label not in said.setdefault(text, []):
                    said[text].append(row.label)
        return [f"{', '.join(labels)}: {text}" for text, labels in said.items()]

    def _plan_row(self, figure: PlanFigure) -> dict[str, str]:
        row = self.figures.get(figure.figure)
        if row is None:
            return {"measure": figure.figure, "plan": "[x]", "then": "[x]", "now": "[x]", "verdict": "not in the mart"}
        year = row["financial_year"]
        newest = _newest_whole_year(self.guard.month)
        then = self._plan_value(figure, row, year)
        plan = _printed(row, self.guard.rule)
        is_kept_back = then.is_suppressed or plan == "[c]"
        shown_now = "same year" if newest == year else _as(row, self._plan_value(figure, row, newest))
        return {
            "measure": row["measure_name"],
            "plan": "[c]" if is_kept_back else plan,
            "then": _as(row, Gated(None, is_suppressed=True) if is_kept_back else then),
            "now": shown_now,
            # that the two agree would tell the figure
            "verdict": "" if is_kept_back else _VERDICTS.get(row["status"], row["status"]),
        }

    def _plan_value(self, figure: PlanFigure, row: Mapping[str, Any], year: str) -> Gated:
        rule = self.guard.rule
        if figure.mart and figure.part and figure.whole:
            held = self.counts[figure.mart].get(year, {})
            return gate_share(rule, held.get(figure.part), held.get(figure.whole))
        if figure.mart and figure.change_of and figure.years:
            earlier = _year_before(year, figure.years)
            now, before = (
                gate_count(rule, self.counts[figure.mart].get(name, {}).get(figure.change_of))
                for name in (year, earlier)
            )
            change = gate_change(now, before)
            return Gated(change.value / before.value) if change.value is not None and before.value else change
        count = row["by_year"].get(year)
        if figure.sum_of:
            start = date(int(year[:4]), 4, 1)
            return self.guard.shown(figure.sum_of, Span((start, date(start.year + 1, 3, 1))), count)
        return gate_count(rule, count)


_VERDICTS = {
    "reproduced": "agrees",
    "contradictory": "the plan's figures contradict each other",
    "differs": "differs",
    "needs_other_data": "no data held",
}


def _printed(row: Mapping[str, Any], rule: Rule) -> str:
    """The figure as the plan prints it; a count that the rule suppresses is not repeated."""
    value = float(row["published_value"])
    if row["unit"] == "count":
        return "[c]" if gate_count(rule, value).is_suppressed else f"{value:,.0f}"
    return f"{value:+.{row['decimals']}f}%" if row["unit"] == "percent_change" else f"{value:.{row['decimals']}f}%"


def _as(row: Mapping[str, Any], gated_value: Gated) -> str:
    if gated_value.value is None:
        return "[c]" if gated_value.is_suppressed else "[x]"
    if row["unit"] == "count":
        return f"{gated_value.value:,.0f}"
    percent = 100 * gated_value.value
    return f"{percent:+.0f}%" if row["unit"] == "percent_change" else f"{percent:.{row['decimals']}f}%"


def _count(shown: Gated) -> str:
    return "[c]" if shown.value is None else f"{shown.value:,.0f}"


def _range(estimate: GatedRange) -> str:
    if estimate.value is None:
        return "[c]"
    return f"{estimate.value:,.0f} ({estimate.low:,.0f} to {estimate.high:,.0f}) [e]"


def _change(change: Gated | None, before: Gated) -> str:
    if change is None or change.value is None:
        return "[c]"
    if change.value == 0:
        return "no change"
    return f"{change.value:+,.0f}{_percent(change, before)}"


def _change_from(now: Gated, estimate: GatedRange) -> str:
    """The change from an estimate, from its one bound to its other."""
    if now.value is None or estimate.low is None or estimate.high is None:
        return "[c]"
    return f"{now.value - estimate.high:+,.0f} to {now.value - estimate.low:+,.0f} [e]"


def _percent(change: Gated, before: Gated) -> str:
    if change.value is None or before.value is None or before.value < _ENOUGH_FOR_PERCENT:
        return ""
    percent = round(100 * change.value / before.value)
    return f" ({percent:+d}%)" if percent else ""


def _without_still_changes(caveat: str) -> str:
    """The caveat without what [p] says already."""
    for words in _STILL_CHANGES:
        start = caveat.find(words)
        if start >= 0:
            end = caveat.find(".", start)
            caveat = caveat[:start] + (caveat[end + 1 :] if end >= 0 else "")
    return " ".join(caveat.split())


def _signs(rule: Rule) -> dict[str, str]:
    if rule.suppress_up_to < 0:
        return {sign: words for sign, words in SIGNS.items() if sign != "[c]"}
    return SIGNS | {"[c]": SIGNS["[c]"].replace("7 or fewer", f"{rule.suppress_up_to} or fewer")}


def _how_shown(rule: Rule) -> str:
    if rule.round_to == 1:
        return "Figures are shown as they were counted."
    return (
        f"Every count is rounded to the nearest {rule.round_to}, and changes and percentages are worked out from the"
        f" rounded counts: a change of {rule.round_to} may be none. Rounded figures need not add up."
    )


def _newest_whole_year(month: date) -> str:
    start = financial_year_start(month)
    return financial_year(month) if month == months_before(date(start.year + 1, 4, 1), 1) else _year_before(
        financial_year(month), 1
    )  # fmt: skip


def _year_before(year: str, years: int) -> str:
    start = int(year[:4]) - years
    return f"{start}/{(start + 1) % 100:02d}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
