"""When a delivery is due, by a feed's contract: so that a program can tell that one has not come."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from saferkc.contracts.strict import Strict

LONDON = ZoneInfo("Europe/London")
# the night of a day begins on the evening before: what comes from then on is tonight's
NIGHT_BEGINS = time(18)
# what comes this long before its time, and not sooner, is what was due
_AHEAD = {"month": timedelta(days=14), "year": timedelta(days=180)}

IsHoliday = Callable[[date], bool]


class Calendar(Strict):
    """When a delivery is due. ``due`` of the contract says the same in prose.

    ``every``: ``day``, ``month``, ``year``, or ``never`` where nobody has promised a time (what is sent once, or when
    somebody asks). ``by`` is the time by the clock in London. ``days: working_days``: no delivery of a day is due at
    a weekend or on a bank holiday, and a day of a month or year that is none moves to the next that is one. ``day``
    (of the month, 1 to 28) and ``month`` (of the year) say which.
    """

    every: Literal["day", "month", "year", "never"]
    by: time = time(12)
    days: Literal["every_day", "working_days"] = "every_day"
    day: int | None = Field(default=None, ge=1, le=28)
    month: int | None = Field(default=None, ge=1, le=12)

    @model_validator(mode="after")
    def _says_which_day(self) -> Calendar:
        needs = {"day": (False, False), "month": (True, False), "year": (True, True), "never": (False, False)}
        if (self.day is not None, self.month is not None) != needs[self.every]:
            raise ValueError("every month has a `day`, every year a `day` and a `month`, other calendars none")
        return self

    def last_due(self, moment: datetime, is_holiday: IsHoliday) -> datetime | None:
        """Return the latest time at or before ``moment`` by which a delivery was due; None where none ever is."""
        return next((due for due in self._backwards(moment, is_holiday) if due <= moment), None)

    def next_due(self, moment: datetime, is_holiday: IsHoliday) -> datetime | None:
        """Return the first time after ``moment`` by which a delivery is due; None where none ever is."""
        found = None
        for due in self._backwards(moment, is_holiday):
            if due <= moment:
                break
            found = due
        return found

    def counts_from(self, due: datetime) -> datetime:
        """Return the moment from which a delivery is the one that is due by ``due``, and not the one before."""
        if self.every == "day":
            return datetime.combine(due.astimezone(LONDON).date() - timedelta(days=1), NIGHT_BEGINS, LONDON)
        return due - _AHEAD[self.every]

    def _backwards(self, moment: datetime, is_holiday: IsHoliday) -> Iterator[datetime]:
        """Times by which a delivery is due, from well after ``moment`` back, without end."""
        if self.every == "never":
            return
        today = moment.astimezone(LONDON).date()
        for back in range(-15 if self.every == "day" else -2, 10_000):
            day = self._day(today, back)
            if self.days == "working_days" and not is_working_day(day, is_holiday):
                if self.every == "day":
                    continue
                while not is_working_day(day, is_holiday):
                    day += timedelta(days=1)
            yield datetime.combine(day, self.by, LONDON)

    def _day(self, today: date, back: int) -> date:
        if self.every == "day":
            return today - timedelta(days=back)
        if self.every == "month":
            years, month = divmod(today.year * 12 + today.month - 1 - back, 12)
            return date(years, month + 1, self.day or 1)
        return date(today.year - back, self.month or 1, self.day or 1)


def is_working_day(day: date, is_holiday: IsHoliday) -> bool:
    """Tell whether offices work on that day."""
    return day.weekday() < 5 and not is_holiday(day)


def night_of(moment: datetime) -> date:
    """Return the day that the night of ``moment`` is called by: the evening belongs to the next."""
    local = moment.astimezone(LONDON)
    return local.date() + timedelta(days=local.time() >= NIGHT_BEGINS)


def night_begins(night: date) -> datetime:
    """Return when the night of a day begins: on the evening before."""
    return datetime.combine(night - timedelta(days=1), NIGHT_BEGINS, LONDON)


def bank_holidays(file: Path) -> IsHoliday:
    """Return what tells a bank holiday in England; ``file`` is the seed ``bank_holidays.csv``."""
    return _holidays(file).__contains__


@cache
def _holidays(file: Path) -> frozenset[date]:
    with file.open(newline="", encoding="utf-8") as handle:
        return frozenset(date.fromisoformat(row["date"]) for row in csv.DictReader(handle))
