"""Facts of calls, cases, actions, referrals and support follow each record, and so do the yearly marts of repeats."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from marts_helpers import NewWarehouse, begin_build, end_build, fingerprints, load_inbox, query, run_dbt
from saferkc.settings import Settings
from saferkc.simulation import deliver_partners, simulate

FEEDS = ("police_asb_incidents", "tmo_asb_cases", "council_enforcement_actions", "angelou_referrals", "rahab_clients")
FACTS = {
    "fct_asb_incident": "police_asb_incidents",
    "fct_asb_case": "tmo_asb_cases",
    "fct_enforcement_action": "council_enforcement_actions",
    "fct_vawg_referral": "angelou_referrals",
    "fct_support_period": "rahab_clients",
}
MODELS = (
    "--select", "+path:models/marts/asb", "+vawg_service_monthly", "+vawg_service_financial_year",
    "+bridge_asb_case_category", "+dim_location_type", "--resource-type", "model", "--resource-type", "seed",
)  # fmt: skip
# both sides of 1 April, so that a night's records lie in two financial years
FIRST, SECOND, THIRD = date(2017, 3, 30), date(2017, 3, 31), date(2017, 4, 1)
SCALE = 0.1


def night(settings: Settings, day: date, *, history: bool = False, out: Path | None = None) -> None:
    deliver_partners(
        settings, date_from=day, date_to=day, scale=SCALE, feeds=FEEDS, history=history, out=out, truth=False
    )


def build(settings: Settings, state: str, *arguments: str, full_refresh: bool = False) -> int:
    build_id, is_full = begin_build(settings, full_refresh=full_refresh)
    assert is_full == full_refresh
    assert run_dbt(settings, *MODELS, *arguments, full_refresh=is_full) == []
    end_build(settings, build_id, state)
    return build_id


def repeat_callers(settings: Settings) -> dict[tuple[str, str], int]:
    rows = query(settings, "select financial_year, caller_token, calls from build_asb.asb_repeat_caller_financial_year")
    return {(year, token): calls for year, token, calls in rows}


def send_call(settings: Settings, incident: str, **changes: str) -> None:
    """Send a call of the history once more, with other values under some headings."""
    (sent,) = (settings.home / "sent" / "police").glob("*asb_incidents_*.csv")
    with sent.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        row = next(row for row in reader if row["Incident Reference"] == incident)
        headings = list(reader.fieldnames or ())
    target = settings.inbox / "police" / sent.name.replace(f"{FIRST:%Y%m%d}", f"{THIRD:%Y%m%d}T2300")
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, headings)
        writer.writeheader()
        writer.writerow(row | {heading.replace("_", " "): value for heading, value in changes.items()})


@pytest.fixture(scope="module")
def warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse with the history of all services, built and published."""
    folder = tmp_path_factory.mktemp("services-by-record")
    with new_warehouse(folder, template_database) as settings:
        night(settings, FIRST, history=True)
        night(settings, FIRST, history=True, out=settings.home / "sent")
        load_inbox(settings)
        build(settings, "published", full_refresh=True)
        yield settings


def written_by(settings: Settings, table: str, build_id: int) -> tuple[int, int]:
    """Rows of a mart that a build wrote, and all."""
    ((written, held),) = query(settings, f"select count(*) filter (where build_id = {build_id}), count(*) from {table}")
    return written, held


def test_records_that_change_end_where_a_build_of_everything_ends(warehouse: Settings) -> None:
    callers = repeat_callers(warehouse)

    # a night's records; the build breaks off before it comes to the repeat callers
    night(warehouse, SECOND)
    load_inbox(warehouse)
    second = build(warehouse, "held", "--exclude", "asb_repeat_caller_financial_year")
    for fact in ("fct_asb_incident", "fct_asb_case", "fct_enforcement_action", "bridge_asb_case_category"):
        written, held = written_by(warehouse, f"build_core.{fact}", second)
        assert 0 < written < held / 5, fact
    # years in which nothing changed are not written again
    assert {year for (year,) in query(
        warehouse, f"select distinct financial_year from build_asb.asb_repeat_location where build_id = {second}"
    )} <= {"2015/16", "2016/17"}  # fmt: skip
    assert repeat_callers(warehouse) == callers

    # one of two calls is withdrawn, so nobody called twice; and the look-up of places comes, which moves all records
    year, token = next(key for key, calls in callers.items() if calls == 2 and key[0] == "2016/17")
    ((incident, place),) = query(
        warehouse,
        "select incident_id_police, lsoa_key from build_core.fct_asb_incident"
        f" where caller_token = '{token}' and month between '2016-04-01' and '2017-03-01' order by 1 limit 1",
    )
    assert place == 0
    night(warehouse, THIRD)
    send_call(warehouse, incident, Record_Status="Deleted")
    simulate(warehouse, date_from=date(2017, 1, 1), date_to=date(2017, 1, 31), scale=0.1, feeds=["reference_lsoa_ward"])
    load_inbox(warehouse)
    build(warehouse, "published")
    assert (year, token) not in repeat_callers(warehouse)
    assert query(
        warehouse, f"select count(*) from build_core.fct_asb_incident where incident_id_police = '{incident}'"
    ) == [(0,)]
    assert query(warehouse, "select count(*) from build_core.fct_asb_incident where lsoa_key = 0") == [(0,)]

    step_by_step = fingerprints(warehouse)
    assert all(
        rows for name, (rows, _) in step_by_step.items() if name.startswith(("build_asb.", "build_vawg.vawg_service"))
    )
    build(warehouse, "published", full_refresh=True)
    assert fingerprints(warehouse) == step_by_step


@pytest.mark.parametrize("fact", FACTS)
def test_every_current_record_is_in_its_fact_once(warehouse: Settings, fact: str) -> None:
    feed = FACTS[fact]
    ((admitted, versions, ended, held),) = query(
        warehouse,
        f"select sum(rows_admitted), (select count(*) from raw.{feed}), (select count(*) from raw.{feed} where"
        f" withdrawn_delivery_id is not null), (select count(*) from build_core.{fact}) from quality.delivery"
        f" where feed = '{feed}' and state = 'admitted'",
    )
    assert admitted == versions
    assert held == versions - ended
    current = f"select delivery_id, month from build_core.{fact}"
    in_raw = f"select delivery_id, period from raw.{feed} where withdrawn_delivery_id is null"
    assert query(warehouse, f"select count(*) from ({in_raw} except all {current}) as lost") == [(0,)]


@pytest.mark.parametrize(
    ("bridge", "feed", "list_of"),
    [
        ("bridge_asb_case_category", "tmo_asb_cases", "categories"),
        ("bridge_vawg_referral_strand", "angelou_referrals", "strands"),
        ("bridge_support_period_need", "rahab_clients", "needs"),
    ],
)
def test_a_bridge_has_every_value_of_its_list_once(warehouse: Settings, bridge: str, feed: str, list_of: str) -> None:
    in_lists = query(
        warehouse,
        f"select sum(cardinality(string_to_array({list_of}, '|'))) from raw.{feed} where withdrawn_delivery_id is null",
    )
    assert query(warehouse, f"select count(*) from build_core.{bridge}") == in_lists


def test_figures_add_up_from_facts_to_months_and_years(warehouse: Settings) -> None:
    totals: dict[str, tuple[Any, ...]] = {}
    for fact, in_months, in_years in (
        ("fct_asb_incident", "police_all", "asb_reports"),
        ("fct_asb_case", "landlord_all", "landlord_cases_opened"),
        ("fct_enforcement_action", "council_all", "council_actions"),
    ):
        ((in_fact, months, wards, years),) = query(
            warehouse,
            f"select (select count(*) from build_core.{fact}), sum(records_as_recorded) filter (where geography_type ="
            f" 'borough'), sum(records_as_recorded) filter (where geography_type = 'ward'), (select sum({in_years})"
            f" from build_asb.asb_financial_year) from build_asb.asb_monthly where asb_class = '{in_months}'",
        )
        totals[fact] = (in_fact, months, wards, years)
    for fact, figures in totals.items():
        # every simulated record has its ward
        assert len(set(figures)) == 1, (fact, figures)


def test_no_word_of_the_services_is_unknown(warehouse: Settings) -> None:
    for fact, condition in (
        ("fct_asb_incident", "asb_type_comparable = 'Not known' or location_type_key = 0 or ward_key = 0"),
        ("fct_asb_case", "agency_key = 0 or ward_key = 0"),
        ("fct_enforcement_action", "agency_key = 0 or location_type_key = 0 or ward_key = 0"),
        ("fct_vawg_referral", "agency_key = 0 or borough_key = 0 or ward_key = 0 or age_band_key = 0"),
        ("fct_support_period", "agency_key = 0"),
    ):
        assert query(warehouse, f"select count(*) from build_core.{fact} where {condition}") == [(0,)], fact
