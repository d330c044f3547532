"""A night rebuilds of the monthly marts the months that changed and what depends on them, and ends as a full build."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from marts_helpers import NewWarehouse, begin_build, end_build, fingerprints, load_inbox, query, run_dbt
from saferkc.settings import Settings
from saferkc.simulation import deliver_partners
from saferkc.warehouse.connection import connect

FEEDS = (
    "police_offences", "police_victims", "police_accused", "police_outcomes", "police_asb_incidents", "tmo_asb_cases",
    "council_enforcement_actions",
)  # fmt: skip
MARTS = {
    "total_offences_monthly": "partnership", "vawg_monthly": "vawg", "vawg_repeat_victim_monthly": "vawg",
    "hate_crime_monthly": "hate_crime", "serious_youth_violence_monthly": "serious_youth_violence",
    "mopac_local_monthly": "mopac_local", "burglary_police_monthly": "burglary", "burglary_repeat_monthly": "burglary",
    "asb_monthly": "asb",
}  # fmt: skip
YEARLY = ("violence_with_injury_breakdown", "theft_from_motor_vehicle_breakdown", "violence_with_injury_by_hour")
MODELS = (
    "--select", *(f"+{mart}" for mart in (*MARTS, *YEARLY)), "+burglary_repeat_premises",
    "--resource-type", "model", "--resource-type", "seed",
)  # fmt: skip
FEBRUARY, MARCH, APRIL = date(2017, 2, 1), date(2017, 3, 1), date(2017, 4, 1)
# of one of the borough's wards, so many months before the newest that no rule about the newest touches it
WARD, MONTH = "Golborne", date(2016, 6, 1)


def night(settings: Settings, day: date, *scenarios: str, history: bool = False) -> None:
    deliver_partners(
        settings, date_from=day, date_to=day, scale=0.15, feeds=FEEDS, history=history, scenarios=scenarios,
        truth=False,
    )  # fmt: skip
    load_inbox(settings)


def build(settings: Settings, state: str = "published", *arguments: str, full_refresh: bool = False) -> int:
    build_id, is_full = begin_build(settings, full_refresh=full_refresh)
    assert is_full == full_refresh
    assert run_dbt(settings, *MODELS, *arguments, full_refresh=is_full) == []
    end_build(settings, build_id, state)
    return build_id


def resend(settings: Settings, condition: str, **values: str) -> int:
    """Deliver once more the offences that fulfil a condition, with other values (SQL); none: they are deleted."""
    with connect(settings) as connection:
        columns = [
            name for (name,) in connection.execute(
                "select column_name from information_schema.columns"
                " where table_schema = 'raw' and table_name = 'police_offences' order by ordinal_position"
            )
        ]  # fmt: skip
        (delivery_id,) = connection.execute(
            "insert into quality.delivery (feed, source_name, sha256, bytes, received_at, scope, vintage, covers_from,"
            " covers_to, state, is_simulated, contract_version, extracted_at)"
            " select feed, 'corrections', repeat(md5(random()::text), 2), 0, now(), scope, vintage + 1, covers_to,"
            " covers_to, 'admitted', true, contract_version, extracted_at + interval '1 minute'"
            " from quality.delivery where feed = 'police_offences' and state = 'admitted'"
            " order by delivery_id desc limit 1 returning delivery_id"
        ).fetchone()  # type: ignore[misc]
        written = {"delivery_id": f"{delivery_id}", "row_hash": "md5(old.row_hash::text)::uuid"}
        written |= {"withdrawn_delivery_id": "null"} | values
        ended = connection.execute(
            f"with old as (update raw.police_offences set withdrawn_delivery_id = {delivery_id}"
            f" where withdrawn_delivery_id is null and {condition} returning *),"
            f" new as (insert into raw.police_offences ({', '.join(columns)})"
            f" select {', '.join(written.get(column, f'old.{column}') for column in columns)} from old"
            f" where {bool(values)} returning 1) select count(*) from old".encode()
        ).fetchone()
        assert ended is not None
        return int(ended[0])


def months_written(settings: Settings, mart: str, build_id: int) -> set[date]:
    found = query(settings, f"select distinct month from build_{MARTS[mart]}.{mart} where build_id = {build_id}")
    return {month for (month,) in found}


def classes(settings: Settings) -> set[str]:
    return {name for (name,) in query(settings, "select distinct vawg_class from build_vawg.vawg_monthly")}


def assert_as_a_full_build(settings: Settings) -> None:
    kept = {
        table: f"select md5(string_agg(line, '' order by line)) from"
        f" (select (to_jsonb(t) - 'build_id')::text as line from intermediate.{table} as t) as lines"
        for table in ("int_burglary__premises", "int_sanction_detections__monthly", "int_asb__monthly_counts")
    }
    step_by_step = fingerprints(settings), {table: query(settings, asked) for table, asked in kept.items()}
    build(settings, full_refresh=True)
    assert fingerprints(settings) == step_by_step[0]
    assert {table: query(settings, asked) for table, asked in kept.items()} == step_by_step[1]


@pytest.fixture(scope="module")
def warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse with the history of the police and of the services for anti-social behaviour, built."""
    folder = tmp_path_factory.mktemp("monthly-marts")
    with new_warehouse(folder, template_database) as settings:
        night(settings, date(2017, 3, 20), history=True)
        build(settings, full_refresh=True)
        yield settings


def test_a_night_writes_the_months_that_changed_and_those_that_depend_on_them(warehouse: Settings) -> None:
    # one month of one ward, corrected: beside it the months whose rows say that they are the newest
    changed = f"ward_name = '{WARD}' and period = '{MONTH}'"
    assert resend(warehouse, changed, location_type="'Shop'", is_hate_race="true") > 10
    last = build(warehouse)
    standing = {FEBRUARY, MARCH}
    for mart in ("total_offences_monthly", "vawg_monthly", "hate_crime_monthly", "serious_youth_violence_monthly"):
        assert months_written(warehouse, mart, last) == {MONTH} | standing, mart
    assert months_written(warehouse, "asb_monthly", last) == standing
    # their outcomes may come in any later month, and whoever was burgled then may be a repeat victim for a year
    assert {MONTH} | standing <= months_written(warehouse, "mopac_local_monthly", last)
    assert min(months_written(warehouse, "mopac_local_monthly", last)) == MONTH
    # the shares of old classes that became the new ones are those of the records' places, and every month rests on them
    assert len(months_written(warehouse, "burglary_police_monthly", last)) > 100
    for mart in ("burglary_repeat_monthly", "vawg_repeat_victim_monthly"):
        assert months_written(warehouse, mart, last) == {date(2016, month, 1) for month in range(6, 13)} | {
            date(2017, 1, 1), FEBRUARY, MARCH,
        }, mart  # fmt: skip

    # the same month of a year before is what a month is compared with
    before = MONTH.replace(year=2015)
    assert resend(warehouse, f"ward_name = '{WARD}' and period = '{before}'", is_hate_race="false") > 10
    last = build(warehouse)
    assert months_written(warehouse, "hate_crime_monthly", last) == {before, MONTH} | standing


def test_late_moved_and_deleted_records_end_where_a_full_build_ends(warehouse: Settings) -> None:
    # a build breaks off before two of the marts; the financial year turns
    night(warehouse, date(2017, 3, 31), "partner_withdrawn")
    build(warehouse, "held", "--exclude", "hate_crime_monthly", "burglary_repeat_monthly")
    night(warehouse, date(2017, 4, 2), "partner_correction")
    assert resend(warehouse, f"ward_name = '{WARD}' and period = '{MONTH}'", period="'2016-05-01'") > 10
    last = build(warehouse)
    # a month without a victim has no row among the repeat victims
    for mart in MARTS.keys() - {"vawg_repeat_victim_monthly"}:
        assert {MARCH, APRIL} <= months_written(warehouse, mart, last), mart
    assert {date(2016, 5, 1), MONTH, FEBRUARY} <= months_written(warehouse, "hate_crime_monthly", last)
    assert_as_a_full_build(warehouse)


def test_a_mart_is_built_whole_where_a_class_or_an_area_goes_or_comes(warehouse: Settings) -> None:
    place = ("ward_code", "ward_name", "lsoa_code")
    here, elsewhere = (
        {column: f"'{value}'" for column, value in zip(place, row, strict=True)}
        for row in query(
            warehouse,
            f"select distinct on (ward_name) {', '.join(place)} from raw.police_offences"
            f" where ward_name in ('{WARD}', 'Colville') and lsoa_code is not null order by ward_name desc",
        )
    )
    assert (here["ward_name"], elsewhere["ward_name"]) == (f"'{WARD}'", "'Colville'")
    # of a month that no test before has moved
    ((one,),) = query(
        warehouse,
        f"select min(offence_id_police) from raw.police_offences where ward_name = '{WARD}' and period = '2016-09-01'"
        " and withdrawn_delivery_id is null",
    )
    assert one is not None
    flag = "is_female_genital_mutilation"
    of_class, of_area = (
        f"select count(*) from build_vawg.vawg_monthly where vawg_class = '{flag.removeprefix('is_')}'",
        f"select count(*) from build_partnership.total_offences_monthly where ward_name = '{WARD}'",
    )

    # one offence is left that carries the flag, and it is the only one in its ward
    resend(
        warehouse, f"(ward_name = '{WARD}' or {flag}) and offence_id_police <> '{one}'", **elsewhere, **{flag: "false"}
    )
    assert resend(warehouse, f"offence_id_police = '{one}'", **{flag: "true"}) == 1
    build(warehouse)
    assert query(warehouse, of_class) != [(0,)]
    assert query(warehouse, of_area) != [(0,)]

    assert resend(warehouse, f"offence_id_police = '{one}'", **{flag: "false"}) == 1
    last = build(warehouse)
    assert query(warehouse, of_class) == [(0,)]
    assert len(months_written(warehouse, "vawg_monthly", last)) > 100
    assert len(months_written(warehouse, "total_offences_monthly", last)) < 10

    assert resend(warehouse, f"offence_id_police = '{one}'", **elsewhere) == 1
    last = build(warehouse)
    assert query(warehouse, of_area) == [(0,)]
    assert len(months_written(warehouse, "total_offences_monthly", last)) > 100
    assert_as_a_full_build(warehouse)

    assert resend(warehouse, f"offence_id_police = '{one}'", **here, **{flag: "true"}) == 1
    last = build(warehouse)
    assert query(warehouse, of_class) != [(0,)]
    assert query(warehouse, of_area) != [(0,)]
    for mart in ("vawg_monthly", "total_offences_monthly"):
        assert len(months_written(warehouse, mart, last)) > 100, mart
    assert_as_a_full_build(warehouse)
