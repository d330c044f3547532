"""What a chart says in words: main message, list of marks, and a description for those who can't see it."""

from __future__ import annotations

from datetime import date
from statistics import median

from saferkc.recording.charts.model import ChartedSeries, Mark
from saferkc.recording.charts.style import CALLED
from saferkc.recording.months import first_month
from saferkc.recording.words import in_a_row, month_in_words

# below it chance moves a month by half and more
_FEW = 10
_NO_FIGURES = "There are no figures for these months."
_NONE_SHOWN = "No month is large enough to be shown."


def day_in_words(day: date) -> str:
    """A day as people write it."""
    return f"{day.day} {day:%B %Y}"


def why_empty(series: ChartedSeries) -> str:
    """Why a series has no line."""
    return _NONE_SHOWN if series.is_suppressed else _NO_FIGURES


def main_message(series: ChartedSeries) -> str:
    """What to know before comparing two months of the series, in one or two sentences."""
    if not any(point.as_recorded is not None for point in series.points):
        return f"{why_empty(series)} {series.how_shown}".rstrip()
    marks = series.marks_in_sight()
    first_months = series.gaps()
    gaps = [day_in_words(mark.start) for mark in marks if mark.is_gap and first_month(mark.start) in first_months]
    bridges = [day_in_words(mark.start) for mark in marks if mark.kind == "bridge"]
    suspected = [number for number, mark in enumerate(marks, 1) if mark.kind == "suspected"]
    said = []
    if gaps and any(point.is_restated for point in series.points):
        only = "only, and give its range" if any(point.has_bounds for point in series.points) else "only"
        said.append(f"Counted differently from {in_a_row(gaps)}: across the gap compare the comparable line {only}.")
    elif gaps:
        said.append(f"Counted differently from {in_a_row(gaps)}: do not compare months on two sides of a gap.")
    elif bridges:
        when = in_a_row(bridges)
        said.append(f"Counting changed on {when}, but this figure holds: months before and after may be compared.")
    if suspected:
        said.append(
            f"A change in counting is suspected (see {in_a_row([str(number) for number in suspected])}):"
            " do not publish a comparison across it before it is decided."
        )
    if not said and any(mark.kind == "note" for mark in marks):
        said.append("One rule throughout; read the notes below before comparing.")
    if not said:
        said.append("No change in how this is counted is known for these months.")
    if median(point.as_recorded for point in series.points if point.as_recorded is not None) < _FEW:
        said.append(f"Fewer than {_FEW} in most months: a single rise or fall says little.")
    if series.how_shown:
        said.append(series.how_shown)
    return " ".join(said)


def mark_in_words(mark: Mark) -> str:
    """A mark as it stands in the list under a chart: when, what it is, and what follows from it."""
    if mark.end is not None and mark.end > mark.start:
        first, last = month_in_words(mark.start), month_in_words(mark.end)
        when = first if first == last else f"{first} to {last}"
    elif mark.kind in ("break", "bridge"):
        when = day_in_words(mark.start)
    else:
        when = month_in_words(mark.start)
    return f"{when}, {CALLED[mark.kind]}: {mark.title.rstrip('.')}. {mark.words}".rstrip()


def description(series: ChartedSeries) -> str:
    """The chart in words, with its main message, for screen readers and mails without pictures."""
    figures = [(point.as_recorded, point.month) for point in series.points if point.as_recorded is not None]
    said = [f"Line chart: {series.title}, {series.area}, {series.measure} a month."]
    if figures:
        low, high = min(figures), max(figures)
        newest = series.points[-1]
        said.append(
            f"{month_in_words(figures[0][1])} to {month_in_words(figures[-1][1])}, as recorded between"
            f" {low[0]:,.0f} ({month_in_words(low[1])}) and {high[0]:,.0f} ({month_in_words(high[1])})."
        )
        if newest.as_recorded is not None and newest.comparability == "provisional":
            said.append(f"{month_in_words(newest.month)} is provisional.")
    said.append(main_message(series))
    said += [f"{number}. {mark_in_words(mark)}" for number, mark in enumerate(series.marks_in_sight(), 1)]
    if series.is_simulated:
        said.append("The data are simulated and say nothing about the world.")
    return " ".join(said)


def footnote(series: ChartedSeries) -> str:
    """Where the figures are from."""
    build = f", build {series.build_id}" if series.build_id is not None else ""
    simulated = " Simulated data: they say nothing about the world." if series.is_simulated else ""
    left_out = f" {month_in_words(series.unfinished)} is not over and is left out." if series.unfinished else ""
    return f"Source: {series.source}{build}.{left_out}{simulated}"
