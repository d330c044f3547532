"""Comparable series: shares are those of the records, bounds hold the truth, and decisions reach the next build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from marts_helpers import NewWarehouse, begin_build, end_build, load_inbox, run_dbt
from saferkc.recording.bridged import shares_of_places
from saferkc.recording.decisions import decide
from saferkc.recording.ledger import add_change
from saferkc.settings import Settings
from saferkc.simulation import deliver_partners, simulate
from saferkc.simulation.area_cases import WARDS, redrawn
from saferkc.simulation.truth import truth_of
from saferkc.warehouse.connection import connect, fetch_all

RULE, HOME, OTHER = date(2017, 4, 1), "E09000020", "E09000001"
SCALE = 0.15
MODELS = ("--select", "+burglary_monthly", "+burglary_police_monthly", "--resource-type", "model")
OF_THE_LEDGER = (
    "--select", "int_recording__classes_of_labels", "int_recording__findings", "int_recording__code_maps_found",
    "int_recording__changes_by_class", "recording_code_weight", "burglary_monthly",
)  # fmt: skip
MOVED = {"Communal area of a block", "Shed or outbuilding", "Garage"}
FINDING = {
    "series": "Burglary - Residential", "parent_series": "Burglary", "feed": "mps_recorded_crime", "geography": HOME,
    "effective_month": date(2018, 1, 1), "kind": "recording", "nature": "split", "confidence": 0.7,
    "evidence": {
        "classes": ["Burglary - Residential", "Burglary - Business and Community"], "bridged_parent": "Burglary",
        "code_map": [
            {"from_class": "Burglary - Business and Community", "to_class": "Burglary - Residential",
             "weight": 0.2, "weight_low": 0.1, "weight_high": 0.3},
        ],
    },
    "state": "suspected", "register_id": None, "treatment": "bridge",
}  # fmt: skip
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The police's records since 2013 and the published counts of 2016 to 2018, built; the files lie in `sent`."""
    folder = tmp_path_factory.mktemp("comparable")
    with new_warehouse(folder, template_database) as settings:
        for out in (None, settings.home / "sent"):
            deliver_partners(
                settings, date_from=date(2017, 6, 30), date_to=date(2017, 6, 30), scale=SCALE,
                feeds=("police_offences", "police_outcomes"), history=True, out=out, truth=False,
            )  # fmt: skip
        simulate(
            settings, date_from=date(2016, 1, 1), date_to=date(2018, 12, 31), scale=0.1, feeds=("mps_recorded_crime",)
        )
        load_inbox(settings)
        build_id, _ = begin_build(settings)
        assert run_dbt(settings, verb="seed") == []
        assert run_dbt(settings, *MODELS, full_refresh=True) == []
        end_build(settings, build_id, "published")
        begin_build(settings, full_refresh=True)
        yield settings


def weights(settings: Settings, basis: str) -> dict[tuple[str, str], Row]:
    with connect(settings) as connection:
        rows = fetch_all(
            connection, "select * from build_core.recording_code_weight where change_code like 'burg%2017'"
        )
    return {(row["from_class"], row["to_class"]): row for row in rows if row["basis"] == basis}


def marts(settings: Settings) -> dict[tuple[Any, ...], Row]:
    """Rows of burglary_monthly by area, class and month."""
    with connect(settings) as connection:
        rows = fetch_all(connection, "select * from build_burglary.burglary_monthly")
    for row in rows:
        row.pop("build_id")
    return {(row["geography_code"], row["burglary_class"], row["month"]): row for row in rows}


def test_shares_are_those_of_the_records(warehouse: Settings) -> None:
    files = sorted((warehouse.home / "sent" / "police").glob("*offences_*.csv"))
    assert files
    records = pl.concat([pl.read_csv(path, infer_schema=False) for path in files])
    others = records.filter(
        (pl.col("Record Status") == "Live")
        & (pl.col("Minor Class") == "Burglary in Other Buildings")
        & (pl.col("Recorded Date").str.to_date("%d/%m/%Y") < RULE)
    )
    share = others["Location Type"].is_in(MOVED).mean()
    assert isinstance(share, float)
    assert 0.05 < share < 0.95
    assert others.height > 100
    found = weights(warehouse, "dual_coded")
    assert found["business_and_community", "residential"]["weight"] == pytest.approx(share)
    assert found["business_and_community", "business_and_community"]["weight"] == pytest.approx(1 - share)
    assert found["residential", "residential"]["weight"] == 1
    row = found["business_and_community", "residential"]
    assert (row["borough_code"], row["is_simulated"]) == (HOME, True)
    # 90 % bounds of a share: about 1.645 standard errors to each side
    wide = 2 * 1.645 * (share * (1 - share) / others.height) ** 0.5
    assert row["weight_high"] - row["weight_low"] == pytest.approx(wide, rel=0.05)


def test_published_classes_rest_on_the_records_of_their_borough_and_on_the_estimate_elsewhere(
    warehouse: Settings,
) -> None:
    rows = marts(warehouse)
    for code, basis in ((HOME, "dual_coded"), (OTHER, None), ("E12000007", "estimated")):
        # the City is in no file of the Metropolitan Police
        row = rows.get((code, "residential", date(2016, 9, 1)))
        assert (row and row["comparable_basis"]) == basis
        if row:
            assert row["offences_comparable_low"] < row["offences_comparable"] < row["offences_comparable_high"]
            assert row["offences_as_recorded"] < row["offences_comparable"]
    after = rows[HOME, "residential", date(2017, 9, 1)]
    assert (after["comparability"], after["change_on_same_month_last_year"]) == ("break", None)
    last = rows[HOME, "residential", date(2016, 9, 1)]
    assert after["comparable_change_on_same_month_last_year"] == pytest.approx(
        after["offences_comparable"] - last["offences_comparable"], abs=Decimal("0.11")
    )
    assert "stands beside it" in after["change_reason"]


def test_records_by_ward_are_put_into_the_wards_in_use_for_all_years(warehouse: Settings) -> None:
    with connect(warehouse) as connection:
        rows = fetch_all(
            connection,
            "select geography_type, month, comparability, comparable_basis, offences_comparable = offences_as_recorded"
            " as is_as_recorded from build_burglary.burglary_police_monthly where burglary_class = 'all'",
        )
    found = {(row["geography_type"], row["month"]): row for row in rows}
    assert all(row["is_as_recorded"] for row in rows)
    for level, month, expected in (
        ("ward", date(2014, 4, 1), ("comparable", "authority")),
        ("ward", date(2014, 5, 1), ("bridged", "as_recorded")),
        ("ward", date(2015, 5, 1), ("comparable", "as_recorded")),
        ("borough", date(2014, 5, 1), ("comparable", "as_recorded")),
    ):
        row = found[level, month]
        assert (row["comparability"], row["comparable_basis"]) == expected, (level, month)


def test_bounds_hold_the_truth_of_the_simulated_world(warehouse: Settings) -> None:
    """The mart is given the world's burglaries by the old rule; what the new rule would have said, nobody told it."""
    old: Counter[tuple[str, date]] = Counter()
    new: Counter[tuple[str, date]] = Counter()
    for year in range(2008, 2017):
        burglaries = truth_of(7, year, 0, 1.0)["offences"].filter(pl.col("kind") == "burglary")
        for day, was, is_now in burglaries.select(
            "recorded_on", "is_residential_by_old_rule", "is_residential_by_new_rule"
        ).iter_rows():
            month = day.replace(day=1)
            old["residential" if was else "business_and_community", month] += 1
            new["residential" if is_now else "business_and_community", month] += 1
    months = sorted({month for _, month in old if date(2008, 5, 1) <= month < RULE})
    with connect(warehouse) as connection:
        connection.execute("create table kept as table intermediate.int_burglary__monthly_counts")
        connection.execute("truncate intermediate.int_burglary__monthly_counts")
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into intermediate.int_burglary__monthly_counts (geography_type, geography_code,"
                " borough_code, month, burglary_class, offences_as_recorded, is_simulated)"
                " values ('borough', %s, %s, %s, %s, %s, true)",
                [
                    (HOME, HOME, month, kind, old[kind, month])
                    for month in months for kind in ("residential", "business_and_community")
                ],
            )  # fmt: skip
    assert run_dbt(warehouse, "--select", "burglary_monthly", verb="run") == []
    rows = marts(warehouse)
    with connect(warehouse) as connection:
        connection.execute("truncate intermediate.int_burglary__monthly_counts")
        connection.execute("insert into intermediate.int_burglary__monthly_counts table kept")
        connection.execute("drop table kept")
    assert run_dbt(warehouse, "--select", "burglary_monthly", verb="run") == []

    held, changes_held, changes, error, error_as_recorded = 0, 0, 0, 0.0, 0.0
    for month in months:
        row, truth = rows[HOME, "residential", month], new["residential", month]
        held += row["offences_comparable_low"] <= truth <= row["offences_comparable_high"]
        error += abs(float(row["offences_comparable"]) - truth)
        error_as_recorded += abs(row["offences_as_recorded"] - truth)
        before = month.replace(year=month.year - 1)
        if before in months:
            changes += 1
            low, high = (row[f"comparable_change_on_same_month_last_year_{end}"] for end in ("low", "high"))
            changes_held += low <= truth - new["residential", before] <= high
    assert len(months) > 100
    assert 0.82 <= held / len(months) <= 0.99
    assert 0.82 <= changes_held / changes <= 0.99
    assert error < error_as_recorded / 2


def decided(warehouse: Settings) -> tuple[dict[tuple[Any, ...], Row], set[tuple[Any, ...]]]:
    """Build what the ledger changes; the rows, and the keys of those that are not what they were."""
    before = marts(warehouse)
    assert run_dbt(warehouse, *OF_THE_LEDGER, verb="run") == []
    after = marts(warehouse)
    assert set(before) == set(after)
    return after, {key for key in after if after[key] != before[key]}


def test_decisions_change_the_marts_on_the_next_build_and_nothing_else(warehouse: Settings) -> None:
    untouched = marts(warehouse)
    with connect(warehouse) as connection:
        add_change(connection, FINDING)
    rows, changed = decided(warehouse)
    year = {date(2018, month, 1) for month in range(1, 13)}
    wards = {key[0] for key, row in rows.items() if row["borough_code"] == HOME and row["geography_type"] == "ward"}
    classes = ("residential", "business_and_community")
    assert changed == {(code, kind, month) for code in {HOME} | wards for kind in classes for month in year}
    suspected = rows[HOME, "residential", date(2018, 6, 1)]
    assert suspected["comparability"] == "provisional"
    assert "may have changed" in suspected["caveat"]
    assert "not confirmed" in suspected["caveat"]
    assert suspected["change_on_same_month_last_year"] is not None

    with connect(warehouse) as connection:
        decide(connection, 1, "confirmed", by="analyst", note="the Met said so")
    rows, _ = decided(warehouse)
    changed = {key for key in rows if rows[key] != untouched[key]}
    assert {key[0] for key in changed} <= {HOME} | wards
    june = rows[HOME, "residential", date(2018, 6, 1)]
    assert (june["comparability"], june["change_on_same_month_last_year"]) == ("bridged", None)
    low, change, high = (june[f"comparable_change_on_same_month_last_year{end}"] for end in ("_low", "", "_high"))
    assert low < change < high
    last = rows[HOME, "residential", date(2017, 6, 1)]
    other = rows[HOME, "business_and_community", date(2017, 6, 1)]["offences_as_recorded"]
    assert last["comparable_basis"] == "estimated"
    assert float(last["offences_comparable"]) == pytest.approx(last["offences_as_recorded"] + 0.2 * other, abs=0.051)
    # before April 2017 two estimates would stand one on the other
    assert rows[HOME, "residential", date(2016, 6, 1)]["offences_comparable"] is None
    whole = rows[HOME, "all", date(2018, 6, 1)]
    assert whole["comparability"] == "bridged"
    assert whole["change_on_same_month_last_year"] is not None

    with connect(warehouse) as connection:
        decide(connection, 1, "rejected", by="analyst", note="they took it back")
    rows, _ = decided(warehouse)
    assert rows == untouched

    # the register's own change, which the team says did not take place in this borough
    with connect(warehouse) as connection:
        add_change(
            connection, FINDING | {"effective_month": RULE, "register_id": "burglary_2017", "state": "registered"}
        )
        assert decided(warehouse)[1] == set()
        decide(connection, 2, "rejected", by="analyst", note="sheds always counted so here")
    rows, changed = decided(warehouse)
    assert {key[0] for key in changed} <= {HOME} | wards
    here = rows[HOME, "residential", date(2017, 6, 1)]
    assert here["comparability"] == "comparable"
    assert here["change_on_same_month_last_year"] is not None
    figure = rows[HOME, "residential", date(2016, 6, 1)]
    assert figure["offences_comparable"] == figure["offences_as_recorded"]
    elsewhere = rows["E12000007", "residential", date(2017, 6, 1)]
    assert (elsewhere["comparability"], elsewhere["change_on_same_month_last_year"]) == ("break", None)


def test_a_finding_of_the_records_reaches_their_mart_and_no_published_one(warehouse: Settings) -> None:
    published = marts(warehouse)
    finding = FINDING | {"feed": "police_offences", "effective_month": date(2016, 1, 1), "state": "confirmed"}
    with connect(warehouse) as connection:
        add_change(connection, finding)
    assert run_dbt(warehouse, *OF_THE_LEDGER, "burglary_police_monthly", verb="run") == []
    assert marts(warehouse) == published
    with connect(warehouse) as connection:
        rows = fetch_all(
            connection,
            "select month, comparability, comparable_basis, change_on_same_month_last_year is null as is_untold"
            " from build_burglary.burglary_police_monthly"
            " where geography_type = 'borough' and burglary_class = 'residential'",
        )
    found = {row["month"]: (row["comparability"], row["comparable_basis"], row["is_untold"]) for row in rows}
    # two changes lie between 2015 and today, and the records tell of the later one only
    assert found[date(2015, 6, 1)] == ("comparable", None, False)
    assert found[date(2016, 6, 1)] == ("bridged", "dual_coded", True)
    assert found[date(2017, 2, 1)] == ("comparable", "dual_coded", False)


def test_wards_of_today_hold_what_they_would_have_counted_before_they_were_drawn(warehouse: Settings) -> None:
    """A simulated borough is redrawn: records of one kind tell both wards by their point, the marts count another."""
    shown, other = 0, 1
    borough = redrawn(11, 1300, moved=0.1)
    former, today = ([f"E0500{first + number:04d}" for number in range(WARDS)] for first in (382, 9388))
    months = [date(2012 + (4 + n) // 12, (4 + n) % 12 + 1, 1) for n in range(borough.records.shape[1])]
    assert months[borough.place] == date(2014, 5, 1)
    counted = borough.by_ward(other, borough.before), borough.by_ward(other, borough.after)
    with connect(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("truncate intermediate.int_burglary__monthly_counts, intermediate.int_areas__of_points")
        cursor.executemany(
            "insert into intermediate.int_burglary__monthly_counts (geography_type, geography_code, borough_code,"
            " ward_code, month, burglary_class, offences_as_recorded, is_simulated)"
            " values ('ward', %s, %s, %s, %s, 'all', %s, true)",
            [
                (codes[ward], HOME, codes[ward], month, counts[place, ward])
                for place, month in enumerate(months)
                for codes, counts in [(today, counted[1]) if place >= borough.place else (former, counted[0])]
                for ward in range(WARDS)
            ],
        )
        records = borough.records[shown, borough.place :].sum(axis=0)
        cursor.executemany(
            "insert into intermediate.int_areas__of_points (longitude, latitude, lsoa_code, record_count,"
            " is_simulated, area_type, boundary_year, area_code, coded_by)"
            " values (%s, 51.5, 'E01900001', %s, true, 'wards', %s, %s, 'boundary')",
            [
                (point, records[point], year, codes[wards[point]])
                for point in range(len(records)) if records[point]
                for year, codes, wards in ((2002, former, borough.before), (2014, today, borough.after))
            ],
        )  # fmt: skip
    # the rules of the areas' weights are checked as well
    assert run_dbt(
        warehouse, "--select", "int_areas__weights", "recording_code_weight", "burglary_monthly",
        "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious",
    ) == []  # fmt: skip
    rows = marts(warehouse)

    held, error, error_as_recorded = 0, 0.0, 0.0
    for ward in range(WARDS):
        own = shares_of_places(borough.coded_both_ways(shown, ward))
        with connect(warehouse) as connection:
            found = fetch_all(
                connection,
                "select to_area_code, weight, weight_low, weight_high, basis from build_core.recording_code_weight"
                " where from_area_code = %s", [former[ward]],
            )  # fmt: skip
        assert {row["to_area_code"] for row in found} == {today[n] for n in range(WARDS) if own.estimate[n] > 0}
        for row in found:
            number = today.index(row["to_area_code"])
            told = (row["weight"], row["weight_low"], row["weight_high"])
            assert told == pytest.approx((own.estimate[number], own.low[number], own.high[number]))
            assert row["basis"] == "dual_coded"
        for place, month in enumerate(months[: borough.place]):
            truth = counted[1][place, ward]
            figure = rows[today[ward], "all", month]
            assert (figure["offences_as_recorded"], figure["comparability"]) == (None, "bridged")
            assert figure["comparable_basis"] == "dual_coded"
            assert "Made of the wards of its day" in figure["caveat"]
            held += figure["offences_comparable_low"] <= truth <= figure["offences_comparable_high"]
            error += abs(float(figure["offences_comparable"]) - truth)
            error_as_recorded += abs(counted[0][place, ward] - truth)
            assert rows[former[ward], "all", month]["offences_comparable"] is None
    assert 0.9 <= held / (WARDS * borough.place) <= 1
    assert error < error_as_recorded / 2
    first = rows[today[0], "all", date(2014, 6, 1)]
    assert (first["comparability"], first["change_on_same_month_last_year"]) == ("break", None)
    low, change, high = (first[f"comparable_change_on_same_month_last_year{end}"] for end in ("_low", "", "_high"))
    assert low < change < high
    assert "stands beside it" in first["change_reason"]
    # whole: no record of before is lost or told twice
    for place, month in enumerate(months[: borough.place]):
        made = sum(rows[code, "all", month]["offences_comparable"] for code in today)
        assert float(made) == pytest.approx(counted[0][place].sum(), abs=0.06 * WARDS)
