"""The warehouse of the plan's year, which several tests share because it takes minutes to make."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from delivered_files import Delivered, read
from marts_helpers import NewWarehouse, begin_build, end_build, load_inbox, run_dbt
from psycopg import sql
from saferkc.settings import Settings
from saferkc.simulation import simulate
from saferkc.simulation.partners import deliver_partners
from saferkc.warehouse.connection import connect

_OPEN_FEEDS = (
    "mps_recorded_crime",
    "mps_other_crime",
    "reference_lsoa_ward",
    "reference_lsoa_2001_2011",
    "reference_lsoa_population",
    "reference_deprivation",
)


@dataclass(frozen=True)
class PlanWarehouse:
    """A warehouse that holds the simulated years up to the plan's and beyond, its marts built once.

    ``files`` is the folder of the delivered files, a folder a source. Tests read; they change neither.
    """

    settings: Settings
    files: Path
    build_id: int


@pytest.fixture(scope="session")
def plan_warehouse(
    new_warehouse: NewWarehouse, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlanWarehouse]:
    """The partners' history and three nights at the borough's real size, loaded and built."""
    folder = tmp_path_factory.mktemp("plan-warehouse")
    files = folder / "delivered"
    with new_warehouse(folder, template_database) as settings:
        # what is deleted or detected late is so by the end of 2017, when the plan's year stands still
        deliver_partners(
            settings, date_from=date(2017, 12, 29), date_to=date(2017, 12, 31), nights=3, out=files, truth=False
        )
        simulate(settings, date_from=date(2015, 4, 1), date_to=date(2017, 3, 1), out=files, feeds=_OPEN_FEEDS)
        shutil.copytree(files, settings.inbox)
        load_inbox(settings)
        build_id, _ = begin_build(settings, full_refresh=True)
        problems = run_dbt(
            settings, "--select", "+plan_figure", "--indirect-selection", "cautious",
            # what they decide does not depend on these rows, and they run with every other build
            "--exclude-resource-type", "unit_test",
            full_refresh=True,
        )  # fmt: skip
        assert [problem for problem in problems if problem["status"] != "warn"] == []
        end_build(settings, build_id, "published")
        yield PlanWarehouse(settings, files, build_id)
    shutil.rmtree(folder, ignore_errors=True)


# of the monthly marts, and what else is read beside the plan's figures
PUBLISHED_MARTS = (
    "asb_monthly",
    "burglary_monthly",
    "burglary_police_monthly",
    "hate_crime_monthly",
    "mopac_local_monthly",
    "serious_youth_violence_monthly",
    "total_offences_monthly",
    "vawg_monthly",
    "vawg_service_monthly",
)


@pytest.fixture(scope="session")
def published_warehouse(
    plan_warehouse: PlanWarehouse, new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A copy of the plan's warehouse in which its marts, and monthly ones, stand where publishing puts them."""
    database = urlsplit(plan_warehouse.settings.warehouse_url).path.lstrip("/")
    with new_warehouse(tmp_path_factory.mktemp("published"), database) as settings:
        # what else they are made from; facts find nothing new
        parents = [f"+{mart}" for mart in PUBLISHED_MARTS]
        assert run_dbt(settings, "--select", *parents, "--exclude-resource-type", "unit_test", "test") == []
        with connect(settings) as connection:
            schemas = connection.execute(
                r"select substring(nspname from 7) from pg_namespace where nspname like 'build\_%'"
            ).fetchall()
            for (schema,) in schemas:
                connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
                built = sql.Identifier(f"build_{schema}")
                connection.execute(sql.SQL("alter schema {} rename to {}").format(built, sql.Identifier(schema)))
            connection.execute(
                "create view core.published_build as select build_id, finished_at as published_at from quality.build"
                " where state = 'published' order by build_id desc limit 1"
            )
        yield settings


@pytest.fixture(scope="session")
def delivered(plan_warehouse: PlanWarehouse) -> Delivered:
    """What stands in the delivered files of that warehouse, read with pandas."""
    return read(plan_warehouse.files)
