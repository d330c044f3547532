"""Draws the lines of a series, its bounds and what stands behind them. Imports matplotlib, as ``picture`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from saferkc.recording.charts import style
from saferkc.recording.charts.model import ChartedSeries, Mark, Point, month_of, runs
from saferkc.recording.charts.words import why_empty
from saferkc.recording.months import first_month

_DASHES: dict[str, Any] = {"bridged": (0, (4, 1.6)), "provisional": (0, (1, 1.4))}
_COMPARABLE_DASH: Any = (0, (6, 1.5, 1.5, 1.5))


@dataclass
class Axis:
    """Where a month stands from left to right: one step a month, and room besides at each gap."""

    first: date
    months: int
    gaps: Sequence[date]
    room: float = field(init=False)

    def __post_init__(self) -> None:
        self.room = max(1.0, self.months * style.GAP_SHARE)

    @classmethod
    def of(cls, series: ChartedSeries) -> Axis:
        """The axis of a series that has months."""
        months = series.every_month()
        return cls(months[0].month, len(months), series.gaps())

    def at(self, month: date) -> float:
        """Where a month stands."""
        steps = (month.year - self.first.year) * 12 + month.month - self.first.month
        return steps + self.room * sum(1 for gap in self.gaps if gap <= month)

    def end(self) -> float:
        """Where the last month stands."""
        return self.months - 1 + self.room * len(self.gaps)

    def of_mark(self, mark: Mark) -> tuple[float, float]:
        """From where to where a mark reaches; both the same for a day, which lies between two months."""
        first = self.at(month_of(mark.start))
        if mark.end is not None and mark.end > mark.start:
            return max(first - 0.5, -0.5), min(self.at(month_of(mark.end)) + 0.5, self.end() + 0.5)
        if mark.kind == "note":
            return first - 0.5, first + 0.5
        if mark.kind in ("break", "bridge") or mark.is_gap:
            first = self.at(first_month(mark.start))
        middle = first - (self.room + 1) / 2 if self.has_gap(mark) else first - 0.5
        return middle, middle

    def has_gap(self, mark: Mark) -> bool:
        """Whether the lines stop at a mark."""
        return mark.is_gap and first_month(mark.start) in self.gaps

    def middle_of(self, mark: Mark) -> float:
        """Where the number of a mark stands."""
        low, high = self.of_mark(mark)
        return (low + high) / 2


def draw_series(axes: Axes, series: ChartedSeries) -> None:
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
        axes.text(0.5, 0.5, why_empty(series), transform=axes.transAxes, ha="center", va="center")
        return
    axis = Axis.of(series)
    axes.set_xlim(-0.8, max(axis.end(), 0.0) + 0.8)
    _time(axes, axis, [point.month for point in months])
    for number, mark in enumerate(series.marks_in_sight(), 1):
        _ground_of(axes, axis, mark, f"mark-{number}")
    for number, stretch in enumerate(series.stretches(), 1):
        _stretch(axes, axis, stretch, f"{number}")


def _stretch(axes: Axes, axis: Axis, stretch: Sequence[Point], name: str) -> None:
    """Draw what lies between two gaps: bounds, the comparable line where it is another, and what was recorded."""
    if any(point.is_restated for point in stretch):
        for number, run in enumerate(runs(stretch, _bounded), 1):
            x = [axis.at(p.month) for p in run]
            # a month alone is given some width
            sides = x if len(run) > 1 else [x[0] - 0.2, x[0] + 0.2]
            lows, highs = ([p.low or 0.0 for p in run], [p.high or 0.0 for p in run])
            repeated = len(sides) // len(run)
            axes.fill([*sides, *reversed(sides)], [*lows * repeated, *reversed(highs * repeated)], color=style.BAND,
                      linewidth=0, gid=f"bounds-{name}-{number}")  # fmt: skip
        for number, run in enumerate(runs(stretch, lambda p: p.comparable), 1):
            axes.plot([axis.at(p.month) for p in run], [p.comparable or 0.0 for p in run], color=style.COMPARABLE,
                      linewidth=1.6, linestyle=_COMPARABLE_DASH, marker="D" if len(run) == 1 else None, markersize=4,
                      gid=f"comparable-{name}-{number}")  # fmt: skip
    for number, run in enumerate(runs(stretch), 1):
        _recorded(axes, axis, run, f"{name}-{number}")


def _bounded(point: Point) -> float | None:
    return point.high if point.comparable is not None and point.low is not None else None


def _recorded(axes: Axes, axis: Axis, run: Sequence[Point], name: str) -> None:
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


def _ground_of(axes: Axes, axis: Axis, mark: Mark, gid: str) -> None:
    """Draw what stands behind the lines: the shade of a span of time, or the line at a day."""
    low, high = axis.of_mark(mark)
    if low < high:
        axes.axvspan(low, high, facecolor=style.SPAN, edgecolor=style.SPAN_HATCH, hatch="//", linewidth=0, zorder=0.5,
                     gid=gid)  # fmt: skip
        return
    has_gap = axis.has_gap(mark)
    if has_gap:
        half = (axis.room + 1) / 2 - 0.35
        axes.axvspan(low - half, low + half, facecolor=style.GROUND, linewidth=0, zorder=1.1, gid=f"{gid}-gap")
    dash = "dashed" if has_gap else (0, (1, 2))
    axes.axvline(low, color=style.GAP, linewidth=1.4 if has_gap else 1.1, linestyle=dash, zorder=1.2, gid=gid)


def _time(axes: Axes, axis: Axis, months: Sequence[date]) -> None:
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


def legend(series: ChartedSeries) -> list[Line2D | Patch]:
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
        handles.append(Line2D([], [], color=style.COMPARABLE, linewidth=1.6, linestyle=_COMPARABLE_DASH,
                              label="comparable: by the rule of today"))  # fmt: skip
        if any(point.has_bounds for point in series.points):
            handles.append(Patch(facecolor=style.BAND, label="where it lies, 9 times in 10"))
    if series.gaps():
        handles.append(Line2D([], [], color=style.GAP, linewidth=1.4, linestyle="dashed", label="gap: do not compare"))
    if any(mark.kind == "note" for mark in series.marks_in_sight()):
        handles.append(Patch(facecolor=style.SPAN, edgecolor=style.SPAN_HATCH, hatch="//", linewidth=0,
                             label="see note"))  # fmt: skip
    return handles
