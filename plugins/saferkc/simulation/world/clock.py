"""When things happen: financial years, Carnival, seasons, hours, and the hours that clocks repeat or leave out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from saferkc.simulation.world.quotas import Floats, Ints

FIRST_YEAR = 2006
_ZONE = ZoneInfo("Europe/London")
_NOT_HELD = (2020, 2021)
# Carnival's weight against 2016, when it was at its heaviest
_CARNIVAL_SIZE = {2015: 0.43, 2016: 1.0, 2017: 0.72, 2018: 0.62}
_CARNIVAL_USUALLY = 0.6

Days = npt.NDArray[np.datetime64]

# hours from 0 to 23, one letter each: how likely it is from a (never, nearly) to z
_CLOCKS = {
    "violence": "nmkgecbbcdefghhiijklmnoo",
    "evening": "jhfdbaaabcdefggghijllmml",
    "night": "pqrpmhdbbbccdddeeffghijm",
    "day": "bbaaaaabdhllmmlmmmlkihfd",
    "shop": "aaaaaaaabcfjnqsssrpkgeba",
    "away": "cbbbbbbcfjjjhghijkllkhfd",
    "overnight": "edddcbbcfggeeeefghknpqnj",
}
_WEEK = {"violence": (0.95, 0.85, 0.9, 1.0, 1.25, 1.5, 1.35), "shop": (0.95, 0.95, 1, 1.05, 1.1, 1.25, 0.8)}


def financial_year(day: date) -> int:
    """The year in which the financial year of ``day`` begins."""
    return day.year if day.month >= 4 else day.year - 1


def first_day(year: int) -> date:
    """The first of April of ``year``."""
    return date(year, 4, 1)


def carnival(year: int) -> tuple[date, ...]:
    """Sunday and Monday of Notting Hill Carnival in the summer of ``year``; none where it was not held."""
    if year in _NOT_HELD:
        return ()
    last = date(year, 8, 31)
    monday = last - timedelta(days=last.weekday())
    return monday - timedelta(days=1), monday


def carnival_size(year: int) -> float:
    """How heavy the Carnival of ``year`` was against that of 2016."""
    return _CARNIVAL_SIZE.get(year, _CARNIVAL_USUALLY) if carnival(year) else 0.0


def month_weights(year: int, season: str) -> Floats:
    """Weight of each month of the financial year, April first: its days by the season."""
    months = [first_month(year, number) for number in range(13)]
    days = np.array([(b - a).days for a, b in pairwise(months)], dtype=np.float64)
    size = {"flat": 0.0, "winter": 0.12, "summer": -0.10}[season]
    return days * (1 + size * np.cos(2 * np.pi * (np.array([m.month for m in months[:12]]) - 1) / 12))


def first_month(year: int, number: int) -> date:
    """First day of month ``number`` (0 is April) of the financial year."""
    return date(year + (number + 3) // 12, (number + 3) % 12 + 1, 1)


def days_in_months(
    chance: np.random.Generator, year: int, months: Ints, clock: str, without: Sequence[date] = ()
) -> Days:
    """A day within each of ``months`` (0 is April) of the financial year, by the days of the week of ``clock``."""
    week = np.array(_WEEK.get(clock, (1,) * 7))
    left_out = {np.datetime64(day, "D") for day in without}
    days = np.empty(len(months), dtype="datetime64[D]")
    for number in range(12):
        here = np.flatnonzero(months == number)
        start, end = np.datetime64(first_month(year, number), "D"), np.datetime64(first_month(year, number + 1), "D")
        own = np.array([day for day in np.arange(start, end) if day not in left_out])
        weight = week[weekday(own)]
        days[here] = own[chance.choice(len(own), len(here), p=weight / weight.sum())]
    return days


def weekday(days: Days) -> Ints:
    """Day of the week, 0 is Monday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def minutes_of_day(chance: np.random.Generator, days: Days, clock: str) -> Ints:
    """A minute of the day for each of ``days``; violence peaks late on Friday and Saturday and after noon on Sunday."""
    letters = np.array([ord(c) - ord("a") + 0.2 for c in _CLOCKS[clock]])
    day = weekday(days)
    minutes = np.empty(len(days), dtype=np.int64)
    for number in range(7):
        here = np.flatnonzero(day == number)
        weight = letters.copy()
        if clock == "violence":
            if number in (4, 5):
                weight[20:] *= 2.0
            if number in (5, 6):
                weight[:5] *= 2.2
            if number == 6:
                weight[14:21] *= 1.5
        minutes[here] = chance.choice(24, len(here), p=weight / weight.sum()) * 60 + chance.integers(0, 60, len(here))
    return minutes


def at_minutes(days: Days, minutes: Ints) -> Days:
    """Local times: so many minutes into each day, and an hour later where the clock left that hour out."""
    moments: Days = days.astype("datetime64[m]") + minutes.astype("timedelta64[m]")
    return real(moments)


def real(local: Days) -> Days:
    """Local times with those put an hour later that never were (when clocks go forward)."""
    shifted = local.copy()
    day = local.astype("datetime64[D]")
    for year in np.unique(local.astype("datetime64[Y]")):
        forward = _last_sunday(int(str(year)[:4]), 3)
        gone = (day == np.datetime64(forward, "D")) & ((local - day).astype("timedelta64[h]").astype(np.int64) == 1)
        shifted[gone] += np.timedelta64(60, "m")
    return shifted


def clock_changes(year: int) -> tuple[date, date]:
    """The days of ``year`` on which clocks go forward and back."""
    return _last_sunday(year, 3), _last_sunday(year, 10)


def local_hours_of(day: date) -> int:
    """How many hours the local day has: 23, 24 or 25."""
    start = datetime(day.year, day.month, day.day, tzinfo=_ZONE)
    following = day + timedelta(days=1)
    end = datetime(following.year, following.month, following.day, tzinfo=_ZONE)
    return round((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 3600)


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)
