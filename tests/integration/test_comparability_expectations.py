"""What a monthly mart must say of counting, asked of it: what is suspected is told, and no break is compared over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from counting_helpers import make_countable
from saferkc.publishing.checks import Checker, Outcome
from saferkc.publishing.suites import load_suites
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

SUSPECTED, COMPARED = "no unregistered break", "no year is compared over a break"
_MART = """
create schema build_core;
create schema build_burglary;
create table build_burglary.burglary_monthly as
    select 'E09000020' as borough_code, month::date, burglary_class,
        burglary_class = 'all' as is_whole_series
    from generate_series(date '2016-01-01', date '2018-12-01', interval '1 month') as month,
        (values ('all'), ('residential'), ('business_and_community')) as classes (burglary_class);
"""


@pytest.fixture
def mart(settings: Settings) -> Iterator[Settings]:
    with connect(settings) as connection:
        connection.execute(_MART.encode())
        make_countable(connection)
    yield settings


def enter(settings: Settings, table: str, **values: Any) -> None:
    columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
    with connect(settings) as connection:
        connection.execute(f"insert into {table} ({columns}) values ({marks})".encode(), list(values.values()))


def asked(settings: Settings) -> dict[str, Outcome]:
    (suite,) = [one for one in load_suites(settings.suites_dir) if one.schema_name == "burglary"]
    (table,) = [one for one in suite.tables if one.table == "burglary_monthly"]
    checks = [check.check(1) for check in table.checks if check.name in (SUSPECTED, COMPARED)]
    with Checker(settings) as checker:
        result = checker.run("burglary marts", "build_burglary", "burglary_monthly", checks)
    assert not any(outcome.could_not_run for outcome in result.outcomes)
    return {outcome.check.name: outcome for outcome in result.outcomes}


FINDING = {
    "change_id": 1, "series": "burglary", "is_parent": False, "class_name": "residential",
    "feed": "mps_recorded_crime", "changed_on": "2017-04-01",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({}, True),
        ({"class_name": None, "series": None}, True),
        ({"borough_code": "E09000020"}, True),
        ({"borough_code": "E09000033"}, False),
        ({"series": "robbery"}, False),
        ({"feed": "police_offences"}, False),
        ({"class_name": "walk_in"}, False),
        ({"is_level": True}, False),
        ({"state": "confirmed"}, False),
        ({"kind": "data_fault"}, False),
        ({"changed_on": "2019-01-01"}, False),
    ],
)
def test_a_suspected_change_is_told_on_the_marts_that_it_concerns(
    mart: Settings, changes: dict[str, Any], is_told: bool
) -> None:
    enter(
        mart, "quality.recording_change", series="Residential", parent_series="Burglary", feed="mps_recorded_crime",
        effective_month="2017-04-01", kind="recording", treatment="bridge",
        evidence='{"sentences": ["“Residential” rose while “Other” fell."], "signals": ["sibling_share"]}',
    )  # fmt: skip
    enter(mart, "intermediate.int_recording__findings", **FINDING | changes)
    outcome = asked(mart)[SUSPECTED]
    assert outcome.success is not is_told
    assert outcome.check.severity == "warning"
    told = ("Change 1: “Residential” rose while “Other” fell. Suggested treatment: bridge.",)
    assert outcome.evidence == (told if is_told else ())


RULE = {
    "change_code": "burglary_2017", "series": "burglary", "is_parent": False, "changed_on": "2017-04-01",
    "treatment": "break",
}  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "changes", "rows"),
    [
        # a change on the year before in the first and in the last month of the year after
        ("burglary_class = 'residential' and month in ('2017-04-01', '2018-03-01')", {}, 2),
        ("burglary_class = 'residential' and month in ('2017-03-01', '2018-04-01')", {}, 0),
        # the rule leaves the whole as it was
        ("burglary_class = 'all'", {}, 0),
        ("burglary_class = 'all'", {"is_parent": True}, 12),
        ("burglary_class <> 'all'", {"class_name": "residential"}, 12),
        ("burglary_class <> 'all'", {"treatment": "bridge"}, 0),
        ("burglary_class <> 'all'", {"borough_code": "E09000033"}, 0),
        ("burglary_class <> 'all'", {"series": "robbery"}, 0),
    ],
)
def test_a_year_that_is_compared_over_a_break_fails(
    mart: Settings, shown: str, changes: dict[str, Any], rows: int
) -> None:
    enter(mart, "intermediate.int_recording__changes_by_class", **RULE | changes)
    with connect(mart) as connection:
        connection.execute(
            f"update build_burglary.burglary_monthly set change_on_same_month_last_year = 5 where {shown}".encode()
        )
    outcome = asked(mart)[COMPARED]
    assert outcome.success is (rows == 0)
    assert outcome.check.severity == "error"
    assert outcome.evidence == ((f"burglary_2017, April 2017: {rows} rows are compared across it.",) if rows else ())


def test_where_somebody_found_that_a_rule_did_not_come_years_may_be_compared(mart: Settings) -> None:
    enter(mart, "intermediate.int_recording__changes_by_class", **RULE)
    enter(
        mart, "intermediate.int_recording__changes_by_class",
        **RULE | {"treatment": "rejected", "borough_code": "E09000020"},
    )  # fmt: skip
    with connect(mart) as connection:
        connection.execute("update build_burglary.burglary_monthly set change_on_same_month_last_year = 5")
    assert asked(mart)[COMPARED].success


@pytest.mark.parametrize(("marked", "success"), [("provisional", True), ("break", True), ("comparable", False)])
def test_a_month_whose_counting_is_in_doubt_must_be_marked(mart: Settings, marked: str, success: bool) -> None:
    enter(
        mart, "intermediate.int_recording__changes_by_class",
        **RULE | {"treatment": "provisional", "provisional_from": "2017-04-01", "provisional_to": "2018-03-01"},
    )  # fmt: skip
    with connect(mart) as connection:
        connection.execute("update build_burglary.burglary_monthly set comparability = %s", (marked,))
    outcome = asked(mart)[COMPARED]
    assert outcome.success is success
    assert outcome.evidence == (
        () if success else ("burglary_2017, April 2017: 24 rows are not marked as provisional.",)
    )
