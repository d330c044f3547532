"""Published views stand over the published tables, follow their models, and show no table that is not published."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing_helpers import scalar, start_build, write_manifest
from saferkc.publishing import publish, retire
from saferkc.publishing.shape import ShapeError
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

MODELS: dict[str, dict[str, object]] = {
    "pub_core.fct_crime": {"primary_key": ["crime_key"]},
    "pub_asb.asb_crime": {"primary_key": ["crime_key"], "is_view": True},
    "pub_asb.asb_crime_named": {"primary_key": ["crime_key"], "is_view": True},
}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "manifest.json", MODELS)


@pytest.fixture
def warehouse(settings: Settings, manifest: Path) -> Settings:
    run(
        settings,
        "create schema build_pub_core",
        "create schema build_pub_asb",
        "create table build_pub_core.fct_crime (crime_key bigint, ward_name text, build_id bigint)",
        "insert into build_pub_core.fct_crime values (1, 'Norland', 1), (2, 'Holland', 1)",
        "create view build_pub_asb.asb_crime as select crime_key, ward_name from build_pub_core.fct_crime",
        "comment on view build_pub_asb.asb_crime is 'One row a crime.'",
        "comment on column build_pub_asb.asb_crime.ward_name is 'Name of the ward.'",
        "create view build_pub_asb.asb_crime_named as select * from build_pub_asb.asb_crime where ward_name <> ''",
    )
    publish_next(settings, manifest)
    return settings


def run(settings: Settings, *statements: str) -> None:
    with connect(settings) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def publish_next(settings: Settings, manifest: Path) -> None:
    with connect(settings) as connection:
        build_id = start_build(connection)
    publish(settings, build_id, manifest=manifest)


def oid(settings: Settings) -> object:
    return scalar(settings, "select 'pub_asb.asb_crime'::regclass::oid")


def test_a_view_is_published_over_the_published_table(warehouse: Settings) -> None:
    run(warehouse, "insert into build_pub_core.fct_crime values (3, 'Stanley', 2)")
    # what was built and not published is not seen through the view
    assert scalar(warehouse, "select count(*) from build_pub_asb.asb_crime_named") == 3
    assert scalar(warehouse, "select count(*) from pub_asb.asb_crime_named") == 2
    assert scalar(warehouse, "select obj_description('pub_asb.asb_crime'::regclass)") == "One row a crime."
    assert scalar(warehouse, "select col_description('pub_asb.asb_crime'::regclass, 2)") == "Name of the ward."


def test_a_view_is_left_alone_while_its_model_stays(warehouse: Settings, manifest: Path) -> None:
    before = oid(warehouse)
    publish_next(warehouse, manifest)
    assert oid(warehouse) == before


def test_a_view_follows_its_model(warehouse: Settings, manifest: Path) -> None:
    run(
        warehouse,
        "drop view build_pub_asb.asb_crime cascade",
        "create view build_pub_asb.asb_crime as select crime_key, upper(ward_name) as ward_name, 1 as crime_count"
        " from build_pub_core.fct_crime",
        "create view build_pub_asb.asb_crime_named as select crime_key from build_pub_asb.asb_crime",
    )
    publish_next(warehouse, manifest)
    assert scalar(warehouse, "select sum(crime_count) from pub_asb.asb_crime where ward_name = 'NORLAND'") == 1
    assert scalar(warehouse, "select count(*) from pub_asb.asb_crime_named") == 2


def test_a_table_under_views_can_change_its_columns(warehouse: Settings, manifest: Path) -> None:
    run(
        warehouse,
        "drop view build_pub_asb.asb_crime cascade",
        "alter table build_pub_core.fct_crime alter column ward_name type varchar(40)",
        "create view build_pub_asb.asb_crime as select crime_key, ward_name from build_pub_core.fct_crime",
        "create view build_pub_asb.asb_crime_named as select * from build_pub_asb.asb_crime",
    )
    publish_next(warehouse, manifest)
    assert scalar(warehouse, "select pg_typeof(ward_name)::text from pub_asb.asb_crime_named limit 1") == (
        "character varying"
    )


def test_a_view_that_reads_what_is_not_published_is_refused(warehouse: Settings, manifest: Path) -> None:
    run(
        warehouse,
        "create schema pub_other",
        "create table pub_other.lookup (ward_name text)",
        "create or replace view build_pub_asb.asb_crime as select f.crime_key, f.ward_name"
        " from build_pub_core.fct_crime f left join pub_other.lookup using (ward_name)",
    )
    with pytest.raises(ShapeError, match=r"reads pub_other\.lookup, which is not published"):
        publish_next(warehouse, manifest)
    assert scalar(warehouse, "select count(*) from pub_asb.asb_crime") == 2


def test_a_table_does_not_silently_become_a_view(warehouse: Settings, tmp_path: Path) -> None:
    run(
        warehouse,
        "create view build_pub_core.fct_crime_view as select * from build_pub_core.fct_crime",
        "create table pub_core.fct_crime_view (crime_key bigint)",
    )
    manifest = write_manifest(
        tmp_path / "more.json", MODELS | {"pub_core.fct_crime_view": {"primary_key": ["crime_key"], "is_view": True}}
    )
    with pytest.raises(ShapeError, match="is a view now, and published as a table"):
        publish_next(warehouse, manifest)


def test_a_view_without_a_model_is_flagged_and_retired(warehouse: Settings, tmp_path: Path) -> None:
    fewer = {name: meta for name, meta in MODELS.items() if name != "pub_asb.asb_crime_named"}
    publish_next(warehouse, write_manifest(tmp_path / "fewer.json", fewer))
    flagged = "select count(*) from quality.alert where dedup_key = 'retire:pub_asb.asb_crime_named' and state = 'open'"
    assert scalar(warehouse, flagged) == 1
    run(warehouse, "drop view build_pub_asb.asb_crime_named")
    retire(warehouse, "pub_asb.asb_crime_named")
    assert scalar(warehouse, flagged) == 0
    assert scalar(warehouse, "select count(*) from pg_views where viewname = 'asb_crime_named'") == 0
