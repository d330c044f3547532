"""Draws a series as a picture, SVG or PNG. Imports matplotlib: import this module only where a picture is drawn.

The same series gives the same bytes: no date, no random ids. Text in SVG stays text.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, pairwise
from typing import Any, Literal
from xml.sax.saxutils import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from saferkc.recording.charts import style
from saferkc.recording.charts.model import ChartedSeries, Mark, Point, month_of, runs
from saferkc.recording.charts.words import NO_FIGURES, description, footnote, main_message, mark_in_words

_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "saferkc", "font.family": style.FONTS, "hatch.linewidth": 0.6,
    "font.size": style.TEXT_SIZE, "text.color": style.TEXT, "axes.labelcolor": style.TEXT,
    "xtick.color": style.TEXT, "ytick.color": style.TEXT,
}  # fmt: skip
# characters of a line of the list and of the message at their sizes and the picture's width
_LIST_COLUMNS, _MESSAGE_COLUMNS = 122, 112
_LEGEND_COLUMNS = 4
_LEFT, _RIGHT = 0.068, 0.985
_DASHES: dict[str, Any] = {"bridged": (0, (4, 1.6)), "provisional": (0, (1, 1.4))}


@dataclass
class _Axis:
    """Where a month stands from left to right: one step a month, and room besides at each gap."""

    first: date
    months: int
    gaps: Sequence[date]
    room: float = field(init=False)

    def __post_init__(self) -> None:
        self.room = max(1.0, self.months * style.GAP_SHARE)

    def at(self, month: date) -> float:
        steps = (month.year - self.first.year) * 12 + month.month - self.first.month
        return steps + self.room * sum(1 for gap in self.gaps if gap <= month)

    def end(self) -> float:
        return self.months - 1 + self.room * len(self.gaps)

    def of_mark(self, mark: Mark) -> tuple[float, float]:
        """From where to where a mark reaches; both the same for a day, which lies between two months."""
        first = self.at(month_of(mark.start))
        if mark.end is not None and mark.end > mark.start:
            return max(first - 0.5, -0.5), min(self.at(month_of(mark.end)) + 0.5, self.end() + 0.5)
        if mark.kind == "note":
            return first - 0.5, first + 0.5
        middle = first - (self.room + 1) / 2 if mark.is_gap else first - 0.5
        return middle, middle


def draw(series: ChartedSeries, form: Literal["svg", "png"]) -> bytes:
    """Return the series as a picture, 10 inches wide and as high as its notes need.

    Lines and bounds stop at each gap (``ChartedSeries.gaps``) and at months without a figure.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = _figure(series)
        content = io.BytesIO()
        if form == "png":
            said = {"Software": None, "Title": _title(series), "Description": description(series)}
            figure.savefig(content, format="png", dpi=style.DOTS_PER_INCH, facecolor=style.GROUND, metadata=said)
            return content.getvalue()
        undated = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(content, format="svg", facecolor=style.GROUND, metadata=undated)
    return _described(content.getvalue().decode(), series).encode()


def _title(series: ChartedSeries) -> str:
    return f"{series.title}, {series.area}"


def _described(svg: str, series: ChartedSeries) -> str:
    """Give the picture the title and description that screen readers say."""
    start, tag, rest = svg.partition("<svg ")
    opening, end, inner = rest.partition(">")
    said = (
        f'<title id="chart-title">{escape(_title(series))}</title>'
        f'<desc id="chart-desc">{escape(description(series))}</desc>'
    )
    return f'{start}{tag}role="img" aria-labelledby="chart-title chart-desc" {opening}{end}\n {said}{inner}'


def _figure(series: ChartedSeries) -> Figure:
    marks = series.marks_in_sight()
    message = textwrap.wrap(main_message(series), _MESSAGE_COLUMNS)
    listed = [textwrap.wrap(mark_in_words(mark), _LIST_COLUMNS) for mark in marks]
    rows = _rows_of_numbers(series, marks)
    handles = _legend(series)
    above_legend = 0.48 + style.LINE_HEIGHT * 1.1 * len(message)
    top = above_legend + 0.22 * -(-len(handles) // _LEGEND_COLUMNS) + 0.16 + 0.24 * (max(rows, default=-1) + 1)
    below = 0.42 + style.LINE_HEIGHT * sum(map(len, listed)) + 0.05 * len(listed) + 0.32
    height = top + style.PLOT_HEIGHT + below
    figure = Figure(figsize=(style.WIDTH, height))
    axes = figure.add_axes((_LEFT, below / height, _RIGHT - _LEFT, style.PLOT_HEIGHT / height))
    _head(figure, series, message, height)
    _plot(axes, series)
    _numbers(axes, series, marks, rows)
    if handles:
        figure.legend(
            handles=handles, loc="upper left", ncols=min(len(handles), _LEGEND_COLUMNS), frameon=False,
            bbox_to_anchor=(_LEFT - 0.004, 1 - above_legend / height), borderaxespad=0, borderpad=0,
            handlelength=2.6, columnspacing=1.6, fontsize=style.SMALL_SIZE + 0.5,
        )  # fmt: skip
    _list(figure, marks, listed, (below - 0.5) / height, height)
    figure.text(_LEFT, 0.1 / height, footnote(series), fontsize=style.SMALL_SIZE, color=style.FAINT_TEXT)
    return figure


def _head(figure: Figure, series: ChartedSeries, message: Sequence[str], height: float) -> None:
    figure.text(_LEFT, 1 - 0.32 / height, _title(series), fontsize=style.TITLE_SIZE, fontweight="bold")
    for number, line in enumerate(message):
        y = 1 - (0.56 + number * style.LINE_HEIGHT * 1.1) / height
        figure.text(_LEFT, y, line, fontsize=style.TEXT_SIZE)
    if series.is_simulated:
        figure.text(
            _RIGHT, 1 - 0.3 / height, "SIMULATED DATA", ha="right", fontsize=style.TEXT_SIZE, fontweight="bold",
            color=style.SIMULATED_TEXT, bbox={"facecolor": style.SIMULATED_GROUND, "pad": 4, "linewidth": 0},
        )  # fmt: skip


def _plot(axes: Axes, series: ChartedSeries) -> None:
    months = series.every_month()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel(f"{series.measure} a month")
    axes.grid(axis="y", color=style.GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    highest = max((value for p in months for value in (p.as_recorded, p.comparable, p.high) if value is not None),
                  default=None)  # fmt: skip
    axes.set_ylim(0, max(highest or 0.0, 1.0) * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if highest is None:
        axes.set_xticks([])
        axes.text(0.5, 0.5, NO_FIGURES, transform=axes.transAxes, ha="center", va="center")
        return
    axis = _Axis(months[0].month, len(months), series.gaps())
    axes.set_xlim(-0.8, max(axis.end(), 0.0) + 0.8)
    _time(axes, axis, [point.month for point in months])
    for number, mark in enumerate(series.marks_in_sight(), 1):
        _ground_of(axes, mark, axis.of_mark(mark), f"mark-{number}", axis.room)
    for number, stretch in enumerate(series.stretches(), 1):
        _stretch(axes, axis, stretch, f"{number}")


def _stretch(axes: Axes, axis: _Axis, stretch: Sequence[Point], name: str) -> None:
    """Draw what lies between two gaps: bounds, the comparable line where it is another, and what was recorded."""
    if any(point.is_restated for point in stretch):
        for number, run in enumerate(runs(stretch, comparable=True), 1):
            bounded = [p for p in run if p.low is not None and p.high is not None]
            x = [axis.at(p.month) for p in run]
            if len(bounded) == len(run):
                lows, highs = [p.low or 0.0 for p in run], [p.high or 0.0 for p in run]
                if len(run) == 1:
                    axes.vlines(x, lows, highs, colors=style.BAND, linewidth=6, gid=f"bounds-{name}-{number}")
                else:
                    axes.fill_between(x, lows, highs, color=style.BAND, linewidth=0, gid=f"bounds-{name}-{number}")
            axes.plot(x, [p.comparable or 0.0 for p in run], color=style.COMPARABLE, linewidth=1.6,
                      linestyle=(0, (6, 1.5, 1.5, 1.5)), marker="D" if len(run) == 1 else None, markersize=4,
                      gid=f"comparable-{name}-{number}")  # fmt: skip
    for number, run in enumerate(runs(stretch), 1):
        _recorded(axes, axis, run, f"{name}-{number}")


def _recorded(axes: Axes, axis: _Axis, run: Sequence[Point], name: str) -> None:
    """Draw the recorded figures of months that follow one another; the dash says how the later month compares."""
    kinds = groupby(pairwise(run), key=lambda step: step[1].comparability)
    for drawn, (kind, group) in enumerate(kinds, 1):
        pairs = list(group)
        points = [pairs[0][0], *(later for _, later in pairs)]
        axes.plot([axis.at(p.month) for p in points], [p.as_recorded or 0.0 for p in points], color=style.RECORDED,
                  linewidth=1.8, linestyle=_DASHES.get(kind, "solid"), solid_joinstyle="round",
                  gid=f"recorded-{name}-{drawn}")  # fmt: skip
    # months are told apart by dots where there is room for them; one alone would not be seen without
    dotted = [p for p in run if p.comparability != "provisional"] if axis.months <= 48 or len(run) == 1 else []
    hollow = [p for p in run if p.comparability == "provisional"]
    for points, face, gid in ((dotted, style.RECORDED, "dots"), (hollow, style.GROUND, "provisional")):
        if points:
            axes.plot([axis.at(p.month) for p in points], [p.as_recorded or 0.0 for p in points], linestyle="none",
                      marker="o", markersize=3.4 if gid == "dots" else 5.5, markerfacecolor=face,
                      markeredgecolor=style.RECORDED, markeredgewidth=1.3, gid=f"{gid}-{name}", zorder=3)  # fmt: skip


def _ground_of(axes: Axes, mark: Mark, place: tuple[float, float], gid: str, room: float) -> None:
    """Draw what stands behind the lines: the shade of a span of time, or the line at a day."""
    low, high = place
    if low < high:
        axes.axvspan(low, high, facecolor=style.SPAN, edgecolor=style.SPAN_HATCH, hatch="//", linewidth=0, zorder=0.5,
                     gid=gid)  # fmt: skip
        return
    if mark.is_gap:
        half = (room + 1) / 2 - 0.35
        axes.axvspan(low - half, low + half, facecolor=style.GROUND, linewidth=0, zorder=1.1, gid=f"{gid}-gap")
    dash = "dashed" if mark.is_gap else (0, (1, 2))
    axes.axvline(low, color=style.GAP, linewidth=1.4 if mark.is_gap else 1.1, linestyle=dash, zorder=1.2, gid=gid)


def _time(axes: Axes, axis: _Axis, months: Sequence[date]) -> None:
    if len(months) > 30:
        every = 1 if len(months) <= 190 else 5
        ticks = [month for month in months if month.month == 1 and month.year % every == 0]
        labels = [f"{month.year}" for month in ticks]
    else:
        every = 1 if len(months) <= 10 else 3
        ticks = [month for month in months if (month.month - 1) % every == 0]
        labels = [f"{month:%b}\n{month.year}" if month.month == 1 or month == ticks[0] else f"{month:%b}"
                  for month in ticks]  # fmt: skip
    axes.set_xticks([axis.at(month) for month in ticks], labels)


def _rows_of_numbers(series: ChartedSeries, marks: Sequence[Mark]) -> list[int]:
    """On which row above the plot the number of each mark stands, so that none covers another."""
    months = series.every_month()
    if not months:
        return []
    axis = _Axis(months[0].month, len(months), series.gaps())
    taken: list[float] = []
    rows = []
    for place in sorted(_place_of_number(axis, mark) for mark in marks):
        row = next((n for n, last in enumerate(taken) if place - last > axis.end() * 0.025), len(taken))
        taken[row : row + 1] = [place]
        rows.append((place, row))
    by_place = dict(rows)
    return [by_place[_place_of_number(axis, mark)] for mark in marks]


def _place_of_number(axis: _Axis, mark: Mark) -> float:
    low, high = axis.of_mark(mark)
    return (low + high) / 2


def _numbers(axes: Axes, series: ChartedSeries, marks: Sequence[Mark], rows: Sequence[int]) -> None:
    if not marks:
        return
    months = series.every_month()
    axis = _Axis(months[0].month, len(months), series.gaps())
    for number, (mark, row) in enumerate(zip(marks, rows, strict=True), 1):
        text, ground = style.MARKS[mark.kind]
        axes.annotate(
            f"{number}", (_place_of_number(axis, mark), 1), xycoords=("data", "axes fraction"),
            xytext=(0, 9 + 17 * row), textcoords="offset points", ha="center", va="center",
            fontsize=style.SMALL_SIZE + 0.5, fontweight="bold", color=text,
            bbox={"boxstyle": "square,pad=0.25", "facecolor": ground, "edgecolor": style.TEXT, "linewidth": 0.9},
        )  # fmt: skip


def _list(figure: Figure, marks: Sequence[Mark], listed: Sequence[Sequence[str]], top: float, height: float) -> None:
    y = top
    for number, (mark, lines) in enumerate(zip(marks, listed, strict=True), 1):
        text, ground = style.MARKS[mark.kind]
        figure.text(
            _LEFT + 0.006, y, f"{number}", ha="center", va="top", fontsize=style.SMALL_SIZE, fontweight="bold",
            color=text,
            bbox={"boxstyle": "square,pad=0.2", "facecolor": ground, "edgecolor": style.TEXT, "linewidth": 0.8},
        )  # fmt: skip
        for line in lines:
            figure.text(_LEFT + 0.022, y, line, va="top", fontsize=style.SMALL_SIZE + 0.5)
            y -= style.LINE_HEIGHT / height
        y -= 0.05 / height


def _legend(series: ChartedSeries) -> list[Line2D | Patch]:
    """What the lines mean, of those that are there."""
    points = [point for point in series.every_month() if point.as_recorded is not None]
    if not points:
        return []
    handles: list[Line2D | Patch] = [Line2D([], [], color=style.RECORDED, linewidth=1.8, label="as recorded")]
    kinds = {point.comparability for point in points}
    if "bridged" in kinds:
        handles.append(Line2D([], [], color=style.RECORDED, linewidth=1.8, linestyle=_DASHES["bridged"],
                              label="first year of a new rule, comparable"))  # fmt: skip
    if "provisional" in kinds:
        handles.append(Line2D([], [], color=style.RECORDED, linestyle="none", marker="o", markerfacecolor=style.GROUND,
                              markersize=5.5, label="provisional"))  # fmt: skip
    if any(point.is_restated for point in series.points):
        handles.append(Line2D([], [], color=style.COMPARABLE, linewidth=1.6, linestyle=(0, (6, 1.5, 1.5, 1.5)),
                              label="comparable: by the rule of today"))  # fmt: skip
        if any(point.low is not None for point in series.points):
            handles.append(Patch(facecolor=style.BAND, label="where it lies, 9 times in 10"))
    if any(mark.is_gap for mark in series.marks_in_sight()):
        handles.append(Line2D([], [], color=style.GAP, linewidth=1.4, linestyle="dashed", label="gap: do not compare"))
    if any(mark.kind == "note" for mark in series.marks_in_sight()):
        handles.append(Patch(facecolor=style.SPAN, edgecolor=style.SPAN_HATCH, hatch="//", linewidth=0,
                             label="see note"))  # fmt: skip
    return handles
