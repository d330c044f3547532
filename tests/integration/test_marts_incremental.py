"""Incremental builds of the marts end where a build of everything ends, whatever happened in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from marts_helpers import NewWarehouse, begin_build, end_build, fingerprints, load_inbox, query, run_dbt
from saferkc.settings import Settings
from saferkc.simulation import simulate
from saferkc.warehouse.connection import connect

FEEDS = ("police_open_street", "police_open_stop_search", "mps_recorded_crime", "reference_lsoa_ward")
MARTS_OF_THESE_FEEDS = (
    "core.fct_street_crime", "core.fct_stop_search", "core.fct_recorded_crime_monthly", "burglary.burglary_monthly",
)  # fmt: skip
# the models of these feeds are what these tests are about; their own tests run elsewhere
MODELS = (
    "--resource-type", "model", "--resource-type", "seed",
    "--select", "+dim_date", *(f"+{mart.split('.')[1]}" for mart in MARTS_OF_THESE_FEEDS),
)  # fmt: skip


def deliver(settings: Settings, last: date) -> None:
    simulate(settings, date_from=date(2017, 1, 1), date_to=last, scale=0.1, only_new=True, feeds=FEEDS)
    load_inbox(settings)


@pytest.fixture(scope="module")
def warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse with three months, built and published."""
    folder = tmp_path_factory.mktemp("incremental-marts")
    with new_warehouse(folder, template_database) as settings:
        deliver(settings, date(2017, 3, 31))
        build_id, full_refresh = begin_build(settings)
        assert full_refresh
        assert run_dbt(settings, *MODELS, full_refresh=True) == []
        end_build(settings, build_id, "published")
        yield settings


def built_by(settings: Settings, table: str) -> dict[date, int]:
    """Month to the build that wrote its rows; a month must have been written by one build."""
    rows = query(settings, f"select distinct month, build_id from build_core.{table} order by month")
    assert len({month for month, _ in rows}) == len(rows)
    return dict(rows)


def test_builds_that_follow_the_change_end_where_a_full_build_ends(warehouse: Settings) -> None:
    first = built_by(warehouse, "fct_street_crime")[date(2017, 1, 1)]

    # a month more, by a build that breaks off before it comes to the street-level crimes and is held
    deliver(warehouse, date(2017, 4, 30))
    held, full_refresh = begin_build(warehouse)
    assert not full_refresh
    assert run_dbt(warehouse, *MODELS, "--exclude", "fct_street_crime") == []
    end_build(warehouse, held, "held")
    assert built_by(warehouse, "fct_stop_search")[date(2017, 4, 1)] == held
    assert date(2017, 4, 1) not in built_by(warehouse, "fct_street_crime")

    # another month; the month that the held build had not come to must not be lost
    deliver(warehouse, date(2017, 5, 31))
    published, full_refresh = begin_build(warehouse)
    assert not full_refresh
    assert run_dbt(warehouse, *MODELS) == []
    end_build(warehouse, published, "published")
    assert built_by(warehouse, "fct_street_crime") == {
        date(2017, 1, 1): first,
        date(2017, 2, 1): first,
        date(2017, 3, 1): first,
        date(2017, 4, 1): published,
        date(2017, 5, 1): published,
    }

    # a month whose rows all go, as when real files end the simulated ones
    with connect(warehouse) as connection:
        connection.execute(
            "update raw.police_open_stop_search set withdrawn_delivery_id = delivery_id where period = '2017-02-01'"
        )
        connection.execute(
            "update quality.delivery_coverage set is_current = false"
            " where feed = 'police_open_stop_search' and period = '2017-02-01'"
        )
    deliver(warehouse, date(2017, 6, 30))
    last, full_refresh = begin_build(warehouse)
    assert not full_refresh
    assert run_dbt(warehouse, *MODELS) == []
    end_build(warehouse, last, "published")
    assert date(2017, 2, 1) not in built_by(warehouse, "fct_stop_search")

    step_by_step = fingerprints(warehouse)
    assert all(step_by_step[f"build_{mart}"][0] for mart in MARTS_OF_THESE_FEEDS)
    _, full_refresh = begin_build(warehouse, full_refresh=True)
    assert full_refresh
    assert run_dbt(warehouse, *MODELS, full_refresh=True) == []
    assert fingerprints(warehouse) == step_by_step


def test_simulated_rows_say_so(warehouse: Settings) -> None:
    for table in ("core.fct_street_crime", "core.fct_stop_search", "core.fct_recorded_crime_monthly"):
        assert query(warehouse, f"select distinct is_simulated from build_{table}") == [(True,)]
    assert query(warehouse, "select distinct is_simulated from build_burglary.burglary_monthly") == [(True,)]


def test_no_label_of_the_simulator_is_unknown(warehouse: Settings) -> None:
    assert query(warehouse, "select offence_code from build_core.dim_offence where not is_known") == [("unknown",)]
    assert query(warehouse, "select borough_code from build_core.dim_borough where not is_known order by 1") == [
        ("OUTSIDE LONDON",),
        ("UNKNOWN",),
    ]


def test_tests_of_a_fact_find_faults_in_what_was_written_and_members_that_went(warehouse: Settings) -> None:
    """Last of this module: it spoils the warehouse."""
    (published,) = query(warehouse, "select max(build_id) from quality.build where state = 'published'")[0]
    with connect(warehouse) as connection:
        connection.execute("create schema if not exists core")
        connection.execute("create table core.dim_ward as select * from build_core.dim_ward")
        connection.execute("update core.dim_ward set ward_key = 77 where ward_key = 0")
        # an older row: passed when it was published, and its member has gone since
        connection.execute(
            "update build_core.fct_street_crime set ward_key = 77, build_id = %s"
            " where ctid = (select ctid from build_core.fct_street_crime limit 1)",
            [published],
        )
    tests = ("--resource-type", "test", "--select", "fct_street_crime")
    failed = {result["name"].split(".")[2] for result in run_dbt(warehouse, *tests)}
    assert failed == {"refers_to_fct_street_crime_ward_key__ward_key__ref_dim_ward_"}

    with connect(warehouse) as connection:
        for (index,) in connection.execute(
            "select indexname from pg_indexes where schemaname = 'build_core' and tablename = 'fct_street_crime'"
            " and indexdef like 'CREATE UNIQUE%'"
        ).fetchall():
            connection.execute(f'drop index build_core."{index}"'.encode())
        # what the next build writes: a record for the second time, in a borough that is none
        connection.execute(
            "create temporary table again as select * from build_core.fct_street_crime where ward_key <> 77 limit 1"
        )
        connection.execute("update again set build_id = %s, borough_key = 78", [published + 1])
        connection.execute("insert into build_core.fct_street_crime select * from again")
    failed = {result["name"].split(".")[2] for result in run_dbt(warehouse, *tests)}
    assert failed == {
        "refers_to_fct_street_crime_ward_key__ward_key__ref_dim_ward_",
        "refers_to_fct_street_crime_borough_key__borough_key__ref_dim_borough_",
        "primary_key_fct_street_crime_street_crime_key",
        "street_crime_holds_every_record",
    }
