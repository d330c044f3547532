"""Facts of the police's records follow each record: late, restated, moved, deleted, and with their offence."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from marts_helpers import NewWarehouse, begin_build, end_build, fingerprints, load_inbox, query, run_dbt
from saferkc.settings import Settings
from saferkc.simulation import deliver_partners, simulate

FEEDS = ("police_offences", "police_victims", "police_accused", "police_outcomes")
FACTS = {
    "fct_offence": "police_offences",
    "fct_offence_victim": "police_victims",
    "fct_offence_accused": "police_accused",
    "fct_offence_outcome": "police_outcomes",
}
PEOPLE = [f"{name}_people_financial_year" for name in (
    "burglary", "hate_crime", "mopac_local", "serious_youth_violence", "vawg",
)]  # fmt: skip
MODELS = (
    "--select", *(f"+{fact}" for fact in FACTS), "+bridge_offence_hate_strand", "+int_offences__monthly",
    *(f"+{mart}" for mart in PEOPLE),
    "+dim_offence", "+dim_outcome", "+dim_location_type", "--resource-type", "model", "--resource-type", "seed",
)  # fmt: skip
AGGREGATES = (
    "int_offences__monthly", "int_police__offence_labels", "int_police__outcome_labels",
    "int_serious_youth_violence__people",
)  # fmt: skip
SCALE = 0.15


def night(settings: Settings, day: date, *scenarios: str, history: bool = False) -> None:
    deliver_partners(
        settings, date_from=day, date_to=day, scale=SCALE, feeds=FEEDS, history=history, scenarios=scenarios,
        truth=False,
    )  # fmt: skip


def build(settings: Settings, state: str, *arguments: str, full_refresh: bool = False) -> int:
    build_id, is_full = begin_build(settings, full_refresh=full_refresh)
    assert is_full == full_refresh
    assert run_dbt(settings, *MODELS, *arguments, full_refresh=is_full) == []
    end_build(settings, build_id, state)
    return build_id


def all_rows(settings: Settings) -> dict[str, Any]:
    """Every mart and the tables that are kept from build to build, as hashes without the build's number."""
    kept = {
        table: query(
            settings,
            "select count(*), md5(string_agg(line, '' order by line)) from"
            f" (select (to_jsonb(t) - 'build_id')::text as line from intermediate.{table} as t) as lines",
        )
        for table in AGGREGATES
    }
    return fingerprints(settings) | kept


def by_key(settings: Settings, fact: str, column: str) -> dict[int, Any]:
    key = fact.removeprefix("fct_") + "_key" if fact != "fct_offence" else "recorded_offence_key"
    return dict(query(settings, f"select {key}, {column} from build_core.{fact}"))


def moved_to(recorded: str, settings: Settings, day: date) -> str:
    """Send an offence of the night once more, recorded on another day; returns its reference."""
    (name,) = query(
        settings,
        "select landed_name from (select source_name as landed_name from quality.delivery where feed ="
        f" 'police_offences' and state = 'admitted' and source_name like '%{day:%Y%m%d}.csv') as names",
    )[0]
    sent = settings.home / "sent" / Path(name).name
    with sent.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        row = next(
            row for row in reader if row["Record Status"] == "Live" and row["Recorded Date"].endswith("/03/2017")
        )
        headings = list(reader.fieldnames or ())
    target = settings.inbox / "police" / sent.name.replace(f"{day:%Y%m%d}", f"{day:%Y%m%d}T2300")
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, headings)
        writer.writeheader()
        writer.writerow(row | {"Recorded Date": recorded})
    return row["Crime Reference"]


@pytest.fixture(scope="module")
def warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse with the police's history, built and published."""
    folder = tmp_path_factory.mktemp("marts-by-record")
    with new_warehouse(folder, template_database) as settings:
        night(settings, date(2017, 3, 20), history=True)
        load_inbox(settings)
        build(settings, "published", full_refresh=True)
        yield settings


def test_records_that_change_end_where_a_build_of_everything_ends(warehouse: Settings) -> None:
    keys_at_first = by_key(warehouse, "fct_offence", "offence_id_police")

    # the night's offences do not come, but their victims do
    night(warehouse, date(2017, 3, 21), "partner_late")
    load_inbox(warehouse)
    second = build(warehouse, "published")
    waiting = [
        key for key, is_held in by_key(warehouse, "fct_offence_victim", "is_offence_held").items() if not is_held
    ]
    assert waiting
    # what did not change is not written
    for fact in ("fct_offence_victim", "fct_offence_outcome"):
        written, held = query(
            warehouse, f"select count(*) filter (where build_id = {second}), count(*) from build_core.{fact}"
        )[0]
        assert 0 < written < held / 100, fact

    # they come after all, and the next night's offences come twice, the second time with other places; the build
    # breaks off before it comes to the victims
    (late,) = (warehouse.home / "held_back").rglob("*.csv")
    shutil.move(late, warehouse.inbox / "police" / late.name)
    night(warehouse, date(2017, 3, 22), "partner_correction")
    sent = warehouse.home / "sent"
    sent.mkdir()
    for file in (warehouse.inbox / "police").glob("*offences_*.csv"):
        shutil.copy(file, sent)
    load_inbox(warehouse)
    build(warehouse, "held", "--exclude", "fct_offence_victim")
    places = by_key(warehouse, "fct_offence_victim", "location_type_key")

    # offences are deleted, one moves to another month, and the look-up of places comes, which moves them all
    night(warehouse, date(2017, 3, 23), "partner_withdrawn")
    moved = moved_to("09/01/2017", warehouse, date(2017, 3, 22))
    simulate(warehouse, date_from=date(2017, 1, 1), date_to=date(2017, 1, 31), scale=0.1, feeds=["reference_lsoa_ward"])
    load_inbox(warehouse)
    last = build(warehouse, "published")

    victims = by_key(warehouse, "fct_offence_victim", "location_type_key")
    assert any(victims[key] != places[key] for key in places.keys() & victims.keys() if key in waiting)
    assert query(
        warehouse,
        "select count(*) from build_core.fct_offence_victim as victim join build_core.fct_offence as offence using"
        " (recorded_offence_key) where (victim.location_type_key, victim.offence_key, victim.ward_key, victim.month)"
        " is distinct from (offence.location_type_key, offence.offence_key, offence.ward_key, offence.month)"
        " or not victim.is_offence_held",
    ) == [(0,)]
    assert query(warehouse, f"select month from build_core.fct_offence where offence_id_police = '{moved}'") == [
        (date(2017, 1, 1),)
    ]
    assert query(warehouse, "select count(*) from build_core.fct_offence where lsoa_key = 0") == [(0,)]
    deleted = "select offence_id_police from raw.police_offences where record_status = 'Deleted'"
    assert query(warehouse, f"select count(*) from build_core.fct_offence where offence_id_police in ({deleted})") == [
        (0,)
    ]

    step_by_step = all_rows(warehouse)
    keys = by_key(warehouse, "fct_offence", "offence_id_police")
    anew = build(warehouse, "published", full_refresh=True)
    assert anew > last
    assert all_rows(warehouse) == step_by_step
    assert by_key(warehouse, "fct_offence", "offence_id_police") == keys
    still_there = keys_at_first.keys() & keys.keys()
    assert len(still_there) > 0.99 * len(keys_at_first)
    assert all(keys[key] == keys_at_first[key] for key in still_there)


def test_people_of_a_year_follow_their_offences(warehouse: Settings) -> None:
    """One offence moves to an earlier financial year, and its people with it; years that nobody touched stay."""
    night(warehouse, date(2017, 3, 24), "partner_correction")
    for file in (warehouse.inbox / "police").glob("*offences_*.csv"):
        shutil.copy(file, warehouse.home / "sent")
    load_inbox(warehouse)
    build(warehouse, "published")
    moved = moved_to("09/01/2016", warehouse, date(2017, 3, 24))
    load_inbox(warehouse)
    last = build(warehouse, "published")
    assert query(
        warehouse, f"select distinct month from build_core.fct_offence where offence_id_police = '{moved}'"
    ) == [(date(2016, 1, 1),)]
    written = "select distinct financial_year from build_mopac_local.mopac_local_people_financial_year where build_id ="
    assert query(warehouse, f"{written} {last} order by 1") == [("2015/16",), ("2016/17",)]
    step_by_step = all_rows(warehouse)
    build(warehouse, "published", full_refresh=True)
    assert all_rows(warehouse) == step_by_step


@pytest.mark.parametrize("fact", FACTS)
def test_every_current_record_is_in_its_fact_once(warehouse: Settings, fact: str) -> None:
    feed = FACTS[fact]
    key = "offence_id_police" + {
        "fct_offence": "", "fct_offence_victim": ", victim_number", "fct_offence_accused": ", accused_number",
        "fct_offence_outcome": ", outcome_number",
    }[fact]  # fmt: skip
    current = f"select {key}, delivery_id from raw.{feed} where withdrawn_delivery_id is null"
    held = f"select {key}, delivery_id from build_core.{fact}"
    assert query(warehouse, f"select count(*) from ({current} except all {held}) as lost") == [(0,)]
    assert query(warehouse, f"select count(*) from ({held} except all {current}) as doubled") == [(0,)]

    # what deliveries say they brought is what raw holds of them, and none of it is in the fact but what still stands
    accounts = query(
        warehouse,
        f"select sum(rows_admitted), (select count(*) from raw.{feed}), (select count(*) from raw.{feed} where"
        f" withdrawn_delivery_id is not null) from quality.delivery where feed = '{feed}' and state = 'admitted'",
    )
    admitted, versions, ended = accounts[0]
    assert admitted == versions
    assert query(warehouse, f"select count(*) from build_core.{fact}") == [(versions - ended,)]


def test_monthly_counts_are_those_of_the_offences(warehouse: Settings) -> None:
    assert query(
        warehouse,
        "select count(*) from (select month, offence_key, ward_key, sum(offence_count) as n from"
        " intermediate.int_offences__monthly group by 1, 2, 3) as a full join (select month, offence_key, ward_key,"
        " count(*) as n from build_core.fct_offence group by 1, 2, 3) as b using (month, offence_key, ward_key)"
        " where a.n is distinct from b.n",
    ) == [(0,)]


def test_no_word_of_the_simulated_police_is_unknown(warehouse: Settings) -> None:
    for dimension, key in (("offence", "offence_key"), ("outcome", "outcome_key"),
                           ("location_type", "location_type_key")):  # fmt: skip
        rows = query(
            warehouse, f"select count(*) from build_core.dim_{dimension} where not is_known and {key} not in (0, -1)"
        )
        assert rows == [(0,)], dimension
    for fact in FACTS:
        held = "true" if fact == "fct_offence" else "is_offence_held"
        unknown = f"select count(*) from build_core.{fact} where {held} and 0 in (offence_key, borough_key)"
        assert query(warehouse, unknown) == [(0,)], fact
