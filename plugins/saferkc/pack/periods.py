"""The spans of a pack (month, three months, financial year to date), and a series over each against the year before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from saferkc.pack.read import Month
from saferkc.recording.months import months_before, months_between
from saferkc.recording.words import month_in_words

Basis = Literal["recorded", "today"]
_ESTIMATED = (
    "The months before are estimates by the rule of today, and bounds of months must not be added up: no sum of them is"
    " shown."
)


@dataclass(frozen=True)
class Span:
    """Months that are added up, in order."""

    months: tuple[date, ...]

    @property
    def title(self) -> str:
        """The span as people say it."""
        first, last = self.months[0], self.months[-1]
        if first == last:
            return month_in_words(last)
        return f"{first:%B}{'' if first.year == last.year else f' {first.year}'} to {month_in_words(last)}"

    def year_before(self) -> Span:
        """The same months of the year before."""
        return Span(tuple(months_before(month, 12) for month in self.months))


def spans_of(month: date) -> tuple[Span, Span, Span]:
    """Return the month, the three months that end with it, and the financial year to date."""
    return (
        Span((month,)),
        Span(months_between(months_before(month, 2), month)),
        Span(months_between(financial_year_start(month), month)),
    )


def financial_year_start(month: date) -> date:
    """The April that a month's financial year began with."""
    return date(month.year - (month.month < 4), 4, 1)


def financial_year(month: date) -> str:
    """The financial year of a month, as 2016/17."""
    start = financial_year_start(month).year
    return f"{start}/{(start + 1) % 100:02d}"


@dataclass(frozen=True)
class Comparison:
    """A series over a span and over the same span a year before, in whole records; nothing of it is gated yet.

    ``before`` is as recorded where that may be compared (``basis`` recorded), else by the rule of today, with ``low``
    and ``high``; None where there is none or none may be shown, and ``reason`` says why. ``is_break``: the counting
    changed in between.
    """

    now: int | None
    before: float | None = None
    low: float | None = None
    high: float | None = None
    basis: Basis = "recorded"
    reason: str = ""
    is_break: bool = False
    is_provisional: bool = False

    @property
    def is_estimate(self) -> bool:
        """Whether the figure of the year before lies between bounds."""
        return self.low != self.high


def compare(months: Mapping[date, Month], span: Span) -> Comparison:
    """Return a series over a span against the year before, by what the mart says of each month."""
    now = [months.get(month) for month in span.months]
    held = [month for month in now if month is not None and month.is_finished]
    if len(held) < len(now):
        return Comparison(None, reason="Not all of these months have been delivered.")
    total = sum(month.recorded for month in held)
    is_provisional = any(month.comparability == "provisional" for month in held)
    reason = next((month.change_reason for month in held if month.change_reason), "")
    is_break = any(month.comparability == "break" for month in held)
    nothing = Comparison(total, reason=reason, is_break=is_break, is_provisional=is_provisional)
    before = [months.get(month) for month in span.year_before().months]
    known = [month for month in before if month is not None]
    if len(known) < len(before):
        return nothing
    if all(month.change is not None for month in held):
        recorded = float(sum(month.recorded for month in known))
        return Comparison(total, recorded, recorded, recorded, is_provisional=is_provisional)
    # across a rule: by the rule of today, as long as the newer months stand by it already
    if not all(month.comparable_change is not None and month.comparable == month.recorded for month in held):
        return nothing
    if len(known) > 1 and not all(month.is_exact for month in known):
        return Comparison(total, reason=_ESTIMATED, is_break=True, is_provisional=is_provisional)
    value, low, high = (
        sum(float(getattr(month, name)) for month in known) for name in ("comparable", "low", "high")
    )  # fmt: skip
    return Comparison(total, value, low, high, "today", "", is_break, is_provisional)
