"""Draws a series as text: a column a month, blank where there is no figure, a rule in the gap at a break."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import date

from saferkc.recording.charts.model import ChartedSeries, Point, month_of
from saferkc.recording.charts.words import footnote, main_message, mark_in_words

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_RULE, _PROVISIONAL, _STEM = "┊", "○", "│"
_ROWS = 8
_GAP = [[" "] * _ROWS, [_RULE] * _ROWS, [" "] * _ROWS]


def chart_lines(series: ChartedSeries, width: int = 100) -> list[str]:
    """The series as lines of text, none longer than ``width`` (40 at least).

    Where there are more months than columns the newest are shown, and a line says from when.
    """
    width = max(width, 40)
    simulated = "  [SIMULATED DATA]" if series.is_simulated else ""
    lines = [*textwrap.wrap(f"{series.title}, {series.area}{simulated}", width), *_wrapped(main_message(series), width)]
    months = series.every_month()
    if any(point.as_recorded is not None for point in months):
        lines += ["", *_chart(series, months, width)]
        if any(point.is_restated for point in months):
            restated = [Point(p.month, p.comparable, comparability=p.comparability) for p in months]
            heading = _wrapped(f"comparable: {series.measure} by the rule of today", width)
            lines += ["", *heading, *_chart(series, restated, width)]
    for number, mark in enumerate(series.marks_in_sight(), 1):
        lines += ["", *_wrapped(f"{number}  {mark_in_words(mark)}", width, indent=3)]
    newest = months[-1] if months else None
    if newest is not None and newest.as_recorded is not None:
        said = f"{newest.month:%B %Y}: {newest.as_recorded:,.0f} {series.measure}. {series.caveat}"
        lines += ["", *_wrapped(said, width)]
    return [*lines, "", *_wrapped(footnote(series), width)]


def _wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=" " * indent)


def _chart(series: ChartedSeries, months: Sequence[Point], width: int) -> list[str]:
    """The figures as bars, with the numbers of the marks above and the years below."""
    highest = max((point.as_recorded for point in months if point.as_recorded is not None), default=0.0)
    label = f"{highest:,.0f}"
    blank, gaps = " " * len(label), series.gaps()
    shown = list(months)
    while len(shown) + len(_GAP) * sum(gap > shown[0].month for gap in gaps) > width - len(label) - 2:
        shown.pop(0)
    places = dict(_places(shown, gaps))
    bars: list[list[str]] = []
    for point in shown:
        bars += [[" "] * _ROWS if n != 1 else _GAP[1] for n in range(places[point.month] - len(bars))]
        bars.append(_bar(point, highest))
    rows = ["".join(bar[row] for bar in bars).rstrip() for row in range(_ROWS)]
    sides = [label, *[blank] * (_ROWS - 2), f"{0:>{len(label)}}"]
    years = _placed((places[point.month], f"{point.month.year}") for point in shown if point.month.month == 1)
    signs = [f"{_RULE} counted differently"] if any(gap > shown[0].month for gap in gaps) else []
    signs += [f"{_PROVISIONAL} provisional"] if any(point.comparability == "provisional" for point in shown) else []
    signs += [f"from {shown[0].month:%B %Y} on"] if len(shown) < len(months) else []
    return [
        f"{blank}  {_numbers(series, places, gaps)}".rstrip(),
        *(f"{side} │{row}" for side, row in zip(sides, rows, strict=True)),
        f"{blank}  {years}",
        *(f"{blank}  {line}" for line in _wrapped("   ".join(signs), width - len(blank) - 2)),
    ]


def _places(shown: Sequence[Point], gaps: Sequence[date]) -> Iterator[tuple[date, int]]:
    """The column of each month."""
    place = 0
    for point in shown:
        place += len(_GAP) if point.month in gaps and point is not shown[0] else 0
        yield point.month, place
        place += 1


def _numbers(series: ChartedSeries, places: dict[date, int], gaps: Sequence[date]) -> str:
    """The numbers of the marks over the months in which they begin, or over the rule of a gap."""
    at = []
    for number, mark in enumerate(series.marks_in_sight(), 1):
        month = month_of(mark.start)
        following = next((gap for gap in gaps if gap >= mark.start), None) if mark.is_gap else None
        if following in places and following is not None:
            at.append((max(places[following] - 2, 0), f"{number}"))
        elif month in places:
            at.append((places[month], f"{number}"))
    return _placed(iter(sorted(at)))


def _placed(texts: Iterator[tuple[int, str]]) -> str:
    """Texts from left to right at their columns, or behind one another where there is no room."""
    line = ""
    for column, text in texts:
        line = f"{line:<{column}}{text}" if len(line) < column or not line else f"{line} {text}"
    return line


def _bar(point: Point, highest: float) -> list[str]:
    """A month from the top row to the lowest: a bar, or a circle on a stem while it is provisional."""
    if point.as_recorded is None:
        return [" "] * _ROWS
    eighths = round(point.as_recorded / highest * _ROWS * 8) if highest else 0
    bar = [_EIGHTHS[min(8, max(0, eighths - 8 * (_ROWS - 1 - row)))] for row in range(_ROWS)]
    if point.comparability == "provisional":
        top = next((row for row, sign in enumerate(bar) if sign != " "), _ROWS - 1)
        return [" "] * top + [_PROVISIONAL] + [_STEM] * (_ROWS - 1 - top)
    # a zero is a figure, and no gap
    return [*bar[:-1], "_"] if eighths == 0 else bar
