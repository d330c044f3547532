"""Days, times and lists of codes as agencies write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saferkc.loading.columns import Typed, Typer
from saferkc.loading.written import OddHours, read_dates, read_local_times
from small_contracts import column, small_contract

LONDON = ZoneInfo("Europe/London")
BY_HAND = ["%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%d %B %Y", "%d-%b-%Y", "%Y-%m-%d"]
TIME = "%d/%m/%Y %H:%M"
CLOCK = {"headings": ["seen_at"], "timezone": "Europe/London"}


def local(*texts: str | None) -> tuple[list[datetime | None], OddHours]:
    times, odd = read_local_times(pl.Series(texts, dtype=pl.String), [TIME, "%Y-%m-%d %H:%M"], "Europe/London")
    return times.to_list(), odd


def typed(columns: list[dict[str, object]], **texts: list[str | None]) -> tuple[Typed, Typer]:
    contract = small_contract(columns)
    typer = Typer(contract, {}, None, b"key")
    typer._period = lambda: pl.lit(date(2017, 1, 1))  # type: ignore[method-assign]
    height = len(next(iter(texts.values())))
    return typer(pl.DataFrame({"line_number": range(1, height + 1)} | texts)), typer


@pytest.mark.parametrize("written", ["03/04/2017", "3/4/2017", "03/04/17", "3.4.2017", "3 April 2017", "03-Apr-2017"])
def test_a_day_is_read_however_people_write_it(written: str) -> None:
    assert read_dates(pl.Series([written, "2017-04-03"]), BY_HAND).to_list() == [date(2017, 4, 3)] * 2


@pytest.mark.parametrize("written", ["31/02/2017", "00/00/0000", "31/12/9999", "03/04/0017", "soon", "42828", "2017"])
def test_what_is_no_day_is_read_as_none(written: str) -> None:
    assert read_dates(pl.Series([written]), BY_HAND).to_list() == [None]


@given(st.dates(date(1950, 1, 1), date(2068, 12, 31)), st.sampled_from(BY_HAND))
def test_every_day_survives_every_way_of_writing(day: date, fmt: str) -> None:
    if fmt != "%d/%m/%y" or day.year >= 1969:  # two digits say 1969 to 2068
        assert read_dates(pl.Series([day.strftime(fmt)]), BY_HAND).to_list() == [day]


def test_an_hour_shown_twice_is_the_first_of_the_two() -> None:
    times, odd = local("29/10/2017 00:59", "29/10/2017 01:00", "29/10/2017 01:59", "29/10/2017 02:00")
    assert times == [
        datetime(2017, 10, 28, 23, 59, tzinfo=UTC),
        datetime(2017, 10, 29, 0, 0, tzinfo=UTC),
        datetime(2017, 10, 29, 0, 59, tzinfo=UTC),
        datetime(2017, 10, 29, 2, 0, tzinfo=UTC),
    ]
    assert odd == OddHours(twice=2, never=0)


def test_an_hour_never_shown_is_an_hour_later() -> None:
    times, odd = local("26/03/2017 00:59", "26/03/2017 01:00", "2017-03-26 01:59", "26/03/2017 02:00", None)
    assert times == [
        datetime(2017, 3, 26, 0, 59, tzinfo=UTC),
        datetime(2017, 3, 26, 1, 0, tzinfo=UTC),
        datetime(2017, 3, 26, 1, 59, tzinfo=UTC),
        datetime(2017, 3, 26, 1, 0, tzinfo=UTC),
        None,
    ]
    assert odd == OddHours(twice=0, never=2)


@given(st.datetimes(datetime(1975, 1, 1), datetime(2037, 12, 31)))
def test_a_time_is_that_of_the_clock_in_london(wall: datetime) -> None:
    wall = wall.replace(second=0, microsecond=0)
    times, odd = local(wall.strftime(TIME))
    expected = wall.replace(tzinfo=LONDON).astimezone(UTC)  # the first of two; of none, as if not put forward
    assert times == [expected]
    first, second = (wall.replace(tzinfo=LONDON, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None and second is not None
    assert odd == OddHours(twice=int(first > second), never=int(first < second))
    assert abs(first - second) <= timedelta(hours=1)


def test_times_by_the_clock_become_moments_and_doubts_are_counted_over_all_blocks() -> None:
    contract = small_contract([column("seen_at", "timestamptz", CLOCK, logicalTypeOptions={"format": TIME})])
    typer = Typer(contract, {}, None, b"key")
    typer._period = lambda: pl.lit(date(2017, 1, 1))  # type: ignore[method-assign]
    for text in ("29/10/2017 01:30", "26/03/2017 01:30", "01/07/2017 12:00"):
        frame = typer(pl.DataFrame({"line_number": [1], "seen_at": [text]})).frame
    assert frame["seen_at"].to_list() == [datetime(2017, 7, 1, 11, tzinfo=UTC)]
    assert typer.odd_hours == {"seen_at": OddHours(twice=1, never=1)}


def test_a_time_that_is_none_goes_to_quarantine() -> None:
    columns = [column("seen_at", "timestamptz", CLOCK, logicalTypeOptions={"format": TIME})]
    result, _ = typed(columns, seen_at=["31/06/2017 12:00", "30/06/2017 25:00", "30/06/2017 12:00"])
    assert [(row.line_number, row.rule) for row in result.quarantined] == [(1, "type"), (2, "type")]


def test_several_codes_in_a_cell_are_one_text_whatever_their_order() -> None:
    columns = [column("strands", origin={"headings": ["strands"], "split": ";"})]
    result, _ = typed(columns, strands=["B; A", "A;B;", " a thing ;A;A", ";", "", None])
    assert result.frame["strands"].to_list() == ["A|B", "A|B", "A|a thing", None, None, None]
    assert result.frame["row_hash"][0] == result.frame["row_hash"][1]


def test_each_of_several_codes_is_looked_up() -> None:
    known = {"name": "k", "metric": "invalidValues", "mustBe": 0, "severity": "warning", "description": "new"}
    rule = known | {"arguments": {"validValues": ["Noise", "Drugs"]}}
    columns = [column("strands", origin={"headings": ["strands"], "split": ","}, quality=[rule])]
    _, typer = typed(columns, strands=["Drugs,noise", "Noise,Fireworks"])
    assert typer.new_codes == {"strands": ["Fireworks"]}
