"""When deliveries are due: by the day, month or year, on working days, by the clock in London."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from saferkc.contracts import load_contracts
from saferkc.contracts.calendar import LONDON, Calendar, bank_holidays, is_working_day, night_begins, night_of
from saferkc.settings import Settings

IS_HOLIDAY = bank_holidays(Settings.load(Path("nowhere")).bank_holidays_file)
NIGHTLY = Calendar.model_validate({"every": "day", "by": "04:30"})
WORKDAYS = Calendar.model_validate({"every": "day", "by": "04:30", "days": "working_days"})
MONTHLY = Calendar.model_validate({"every": "month", "day": 7, "by": "17:00", "days": "working_days"})
YEARLY = Calendar.model_validate({"every": "year", "month": 9, "day": 1, "by": "17:00"})


def at(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=LONDON)


@pytest.mark.parametrize(
    ("calendar", "now", "last", "following"),
    [
        (NIGHTLY, "2026-11-28 04:29", "2026-11-27 04:30", "2026-11-28 04:30"),
        (NIGHTLY, "2026-11-28 04:30", "2026-11-28 04:30", "2026-11-29 04:30"),
        # over Easter: Good Friday 3 April 2026 to Easter Monday the 6th
        (WORKDAYS, "2026-04-06 12:00", "2026-04-02 04:30", "2026-04-07 04:30"),
        # 7 June 2026 is a Sunday
        (MONTHLY, "2026-06-07 18:00", "2026-05-07 17:00", "2026-06-08 17:00"),
        # 7 May 2018 was the early May bank holiday
        (MONTHLY, "2018-05-08 17:00", "2018-05-08 17:00", "2018-06-07 17:00"),
        (YEARLY, "2026-09-01 16:59", "2025-09-01 17:00", "2026-09-01 17:00"),
    ],
)
def test_due_times(calendar: Calendar, now: str, last: str, following: str) -> None:
    assert calendar.last_due(at(now), IS_HOLIDAY) == at(last)
    assert calendar.next_due(at(now), IS_HOLIDAY) == at(following)


@given(
    st.sampled_from([NIGHTLY, WORKDAYS, MONTHLY, YEARLY]),
    st.datetimes(datetime(2010, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
)
def test_due_times_surround_the_moment_and_follow_each_other(calendar: Calendar, now: datetime) -> None:
    last, following = calendar.last_due(now, IS_HOLIDAY), calendar.next_due(now, IS_HOLIDAY)
    assert last is not None and following is not None
    assert last <= now < following
    assert calendar.next_due(last, IS_HOLIDAY) == following
    assert calendar.last_due(following, IS_HOLIDAY) == following
    # what counts for the next time does not count for the one before
    assert last < calendar.counts_from(following) < following
    if calendar.days == "working_days":
        assert is_working_day(following.astimezone(LONDON).date(), IS_HOLIDAY)


def test_what_nobody_promised_is_never_due() -> None:
    never = Calendar(every="never")
    assert never.last_due(at("2026-11-28 12:00"), IS_HOLIDAY) is None
    assert never.next_due(at("2026-11-28 12:00"), IS_HOLIDAY) is None


def test_the_evening_belongs_to_the_next_night() -> None:
    assert night_of(at("2026-11-27 17:59")) == date(2026, 11, 27)
    assert night_of(at("2026-11-27 18:00")) == date(2026, 11, 28)
    assert night_begins(date(2026, 11, 28)) == at("2026-11-27 18:00")


@pytest.mark.parametrize(
    "wrong", [{"every": "month"}, {"every": "day", "day": 3}, {"every": "year", "day": 3}, {"every": "never", "day": 1}]
)
def test_a_calendar_says_which_day(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="every month has a `day`"):
        Calendar.model_validate(wrong)


def test_every_contract_says_in_its_calendar_what_it_says_in_prose() -> None:
    words = {"day": "night", "month": "month", "year": "year"}
    contracts = load_contracts(Settings.load(Path("nowhere")).contracts_dir).values()
    assert len(contracts) >= 20
    for contract in contracts:
        calendar = contract.operation.calendar
        assert words.get(calendar.every, "") in contract.operation.due, contract.feed
        # the DAG has looked by the time that a night's delivery is due
        if calendar.every == "day":
            minute, hour = (int(part) for part in contract.operation.schedule.split()[:2])
            assert timedelta(hours=hour, minutes=minute) <= timedelta(
                hours=calendar.by.hour, minutes=calendar.by.minute
            )
