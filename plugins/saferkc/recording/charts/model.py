"""What a chart shows, and where its lines must stop. Nothing here knows a database or a drawing library."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Literal

from saferkc.recording.months import first_month, months_between

Figure = Literal["as_recorded", "comparable"]
MarkKind = Literal["break", "bridge", "note", "suspected", "registered", "confirmed", "rejected"]


@dataclass(frozen=True)
class Point:
    """One month: figures in offences (or records) a month, None where there is no figure, which is not zero.

    ``comparable`` is the figure by the rule of today, ``low`` and ``high`` its 90 % bounds where it is estimated.
    ``comparability`` is comparable, bridged, break or provisional, as the mart says of the month. ``suppressed`` are
    the figures that may not be shown to whoever this is for.
    """

    month: date
    as_recorded: float | None
    comparable: float | None = None
    low: float | None = None
    high: float | None = None
    comparability: str = "comparable"
    suppressed: frozenset[Figure] = frozenset()

    @property
    def is_restated(self) -> bool:
        """Whether the comparable figure is another than the recorded one, or an estimate."""
        return self.comparable is not None and (self.comparable != self.as_recorded or self.has_bounds)

    @property
    def has_bounds(self) -> bool:
        """Whether the comparable figure is an estimate, which lies between bounds."""
        return self.low is not None and self.high is not None and self.low < self.high


@dataclass(frozen=True)
class Mark:
    """Something to know about the series from a day on, or between two days: of the register, or found in the figures.

    ``is_gap``: no line may be drawn across ``start``. ``title`` and ``words`` are for people, in plain words.
    """

    kind: MarkKind
    start: date
    title: str
    words: str
    end: date | None = None
    is_gap: bool = False


@dataclass(frozen=True)
class ChartedSeries:
    """A series of one area with all that must be shown with it; months in order, those without a figure left out.

    ``measure`` is what is counted, as in "offences a month"; ``source`` names the mart; ``caveat`` is that of the
    newest month; ``unfinished`` is a month that is left out because its deliveries have only begun; ``how_shown`` says
    what was done to the figures before they were shown, where something was.
    """

    title: str
    area: str
    measure: str
    points: tuple[Point, ...]
    marks: tuple[Mark, ...] = ()
    is_simulated: bool = False
    source: str = ""
    build_id: int | None = None
    caveat: str = ""
    unfinished: date | None = None
    how_shown: str = ""

    @property
    def is_suppressed(self) -> bool:
        """Whether a figure of it may not be shown."""
        return any(point.suppressed for point in self.points)

    def every_month(self) -> tuple[Point, ...]:
        """All months from the first to the last; one that has no row has no figure."""
        known = {point.month: point for point in self.points}
        if not known:
            return ()
        return tuple(known.get(month) or Point(month, None) for month in months_between(min(known), max(known)))

    def marks_in_sight(self) -> tuple[Mark, ...]:
        """The marks that touch the months shown, in order of time; marks are numbered from 1 in this order."""
        months = self.every_month()
        if not months:
            return ()
        first, last = months[0].month, months[-1].month
        seen = [
            mark
            for mark in self.marks
            if month_of(mark.start) <= last
            and (month_of(mark.end or mark.start) >= first)
            # a rule must have months before it and after it to be told apart
            and (mark.kind not in ("break", "bridge") or first < first_month(mark.start) <= last)
        ]
        return tuple(sorted(seen, key=lambda mark: (mark.start, mark.end or mark.start, mark.title)))

    def stretches(self) -> Iterator[tuple[Point, ...]]:
        """The months between two gaps, every month of each: nothing may be drawn from one stretch to another."""
        yield from _split(self.every_month(), self.gaps())

    def gaps(self) -> tuple[date, ...]:
        """The first months that are counted in another way than the month before."""
        starts = {first_month(mark.start) for mark in self.marks_in_sight() if mark.is_gap}
        shown = self.every_month()
        return tuple(sorted(start for start in starts if shown[0].month < start <= shown[-1].month))


def _as_recorded(point: Point) -> float | None:
    return point.as_recorded


def runs(
    stretch: Sequence[Point], figure: Callable[[Point], float | None] = _as_recorded
) -> Iterator[tuple[Point, ...]]:
    """The months that follow one another and have a figure, by default the recorded one."""
    for has_figure, run in groupby(stretch, key=lambda point: figure(point) is not None):
        if has_figure:
            yield tuple(run)


def month_of(day: date) -> date:
    """The first day of the month that a day lies in."""
    return day.replace(day=1)


def _split(months: Sequence[Point], starts: Sequence[date]) -> Iterator[tuple[Point, ...]]:
    stretch: list[Point] = []
    for point in months:
        if point.month in starts and stretch:
            yield tuple(stretch)
            stretch = []
        stretch.append(point)
    if stretch:
        yield tuple(stretch)
