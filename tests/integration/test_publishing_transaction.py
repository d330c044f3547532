"""Publishing: the published marts equal the built ones, and no reader ever sees a mix of two builds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from publishing_helpers import scalar, start_build, write_manifest
from saferkc.publishing import NotPublishableError, publish, retire
from saferkc.publishing.difference import Tables, make_equal
from saferkc.publishing.manifest import ManifestError
from saferkc.publishing.shape import ShapeError
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

MODELS: dict[str, dict[str, object]] = {
    "pub_core.dim_ward": {"primary_key": ["ward_key"]},
    "pub_core.fct_crime": {"primary_key": ["crime_key"], "publish": "changed"},
    "pub_burglary.burglary_monthly": {"primary_key": ["ward_key", "month"]},
}


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Settings]:
    with connect(settings, autocommit=True) as connection:
        for schema in ("build_pub_core", "build_pub_burglary"):
            connection.execute(f"create schema {schema}".encode())
        connection.execute("create table build_pub_core.dim_ward (ward_key bigint, ward_name text, build_id bigint)")
        connection.execute(
            "create table build_pub_core.fct_crime"
            " (crime_key bigint, ward_key bigint, crime_count integer, build_id bigint)"
        )
        connection.execute("create index on build_pub_core.fct_crime (ward_key)")
        connection.execute("create unique index on build_pub_core.fct_crime (crime_key)")
        connection.execute(
            "create table build_pub_burglary.burglary_monthly"
            " (ward_key bigint, month date, burglary_count integer, build_id bigint)"
        )
        connection.execute("comment on table build_pub_core.dim_ward is 'One row a ward.'")
        connection.execute("comment on column build_pub_core.dim_ward.ward_name is 'Name of the ward.'")
    yield settings


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "manifest.json", MODELS)


def build(settings: Settings, wards: int = 5, crimes: int = 50, changed_crimes: int | None = None) -> int:
    """What dbt does: dimensions and marts anew, facts stamped only where they changed."""
    with connect(settings) as connection:
        build_id = start_build(connection)
        connection.execute("truncate build_pub_core.dim_ward, build_pub_burglary.burglary_monthly")
        connection.execute(
            "insert into build_pub_core.dim_ward select g, 'Ward ' || g || ' as of ' || %s, %s"
            " from generate_series(1, %s) g",
            (build_id, build_id, wards),
        )
        changed = crimes if changed_crimes is None else changed_crimes
        connection.execute(
            "delete from build_pub_core.fct_crime where crime_key <= %s or crime_key > %s", (changed, crimes)
        )
        connection.execute(
            "insert into build_pub_core.fct_crime select g, 1 + g %% %s, %s, %s from generate_series(1, %s) g",
            (wards, build_id, build_id, changed),
        )
        connection.execute(
            "insert into build_pub_burglary.burglary_monthly"
            " select ward_key, date '2017-04-01', count(*), %s from build_pub_core.fct_crime group by 1",
            (build_id,),
        )
    return build_id


INDEXES = """
    select array_agg(split_part(indexdef, ' USING ', 2) order by split_part(indexdef, ' USING ', 2))
    from pg_indexes where schemaname = 'pub_core' and tablename = 'fct_crime'
"""


def differences(settings: Settings) -> int:
    """Rows in which published and built tables differ, both ways."""
    total = 0
    with connect(settings) as connection:
        for name, meta in MODELS.items():
            # a fact keeps the number of the build that brought a row as it is
            select = "select (to_jsonb(t) - 'build_id')" if meta.get("publish") == "changed" else "select to_jsonb(t)"
            for one, other in ((name, f"build_{name}"), (f"build_{name}", name)):
                row = connection.execute(
                    f"select count(*) from ({select} from {one} t except all {select} from {other} t) d".encode()
                ).fetchone()
                assert row is not None
                total += row[0]
    return total


def test_the_first_publication_makes_the_tables_with_keys_indexes_and_comments(
    warehouse: Settings, manifest: Path
) -> None:
    build_id = build(warehouse)
    result = publish(warehouse, build_id, manifest=manifest)
    assert differences(warehouse) == 0
    assert result.changes["pub_core.fct_crime"].inserted == 50
    assert scalar(warehouse, f"select state from quality.build where build_id = {build_id}") == "published"
    assert scalar(warehouse, "select build_id from core.published_build") == build_id
    assert scalar(warehouse, "select obj_description('pub_core.dim_ward'::regclass)") == "One row a ward."
    assert scalar(warehouse, "select col_description('pub_core.dim_ward'::regclass, 2)") == "Name of the ward."
    keys = "select count(*) from pg_constraint where contype = 'p' and connamespace::regnamespace::text like 'pub%'"
    assert scalar(warehouse, keys) == len(MODELS)
    indexes = scalar(warehouse, INDEXES)
    assert indexes == ["btree (crime_key)", "btree (ward_key)"]


def test_a_later_publication_touches_only_what_changed(warehouse: Settings, manifest: Path) -> None:
    publish(warehouse, build(warehouse, crimes=50), manifest=manifest)
    second = build(warehouse, crimes=40, changed_crimes=3)
    result = publish(warehouse, second, manifest=manifest)
    assert differences(warehouse) == 0
    changes = result.changes["pub_core.fct_crime"]
    assert (changes.deleted, changes.updated, changes.inserted) == (10, 3, 0)
    assert scalar(warehouse, f"select rows_changed from quality.build where build_id = {second}") == result.rows_changed


def test_facts_that_were_built_again_to_the_same_rows_are_not_written_again(
    warehouse: Settings, manifest: Path
) -> None:
    first = build(warehouse, crimes=30)
    publish(warehouse, first, manifest=manifest)
    with connect(warehouse) as connection:
        again = start_build(connection)
        connection.execute("update build_pub_core.fct_crime set build_id = %s", (again,))
    result = publish(warehouse, again, manifest=manifest)
    assert result.changes["pub_core.fct_crime"].total == 0
    assert scalar(warehouse, "select max(build_id) from pub_core.fct_crime") == first


def test_a_fact_that_somebody_meddled_with_is_put_right(warehouse: Settings, manifest: Path) -> None:
    publish(warehouse, build(warehouse, crimes=30), manifest=manifest)
    with connect(warehouse) as connection:
        connection.execute("delete from pub_core.fct_crime where crime_key > 20")
        connection.execute("insert into pub_core.fct_crime values (-7, 1, 1, 1)")
    publish(warehouse, build(warehouse, crimes=30, changed_crimes=1), manifest=manifest)
    assert differences(warehouse) == 0


def test_rows_of_a_build_that_was_held_are_published_with_the_next(warehouse: Settings, manifest: Path) -> None:
    publish(warehouse, build(warehouse), manifest=manifest)
    held = build(warehouse, crimes=60, changed_crimes=20)
    with connect(warehouse) as connection:
        connection.execute("update quality.build set state = 'held', reason = 'x' where build_id = %s", (held,))
    publish(warehouse, build(warehouse, crimes=60, changed_crimes=2), manifest=manifest)
    assert differences(warehouse) == 0


def test_publishing_twice_changes_nothing(warehouse: Settings, manifest: Path) -> None:
    build_id = build(warehouse)
    publish(warehouse, build_id, manifest=manifest)
    before = scalar(warehouse, "select max(xmin::text::bigint) from pub_core.dim_ward")
    assert publish(warehouse, build_id, manifest=manifest).rows_changed == 0
    assert scalar(warehouse, "select max(xmin::text::bigint) from pub_core.dim_ward") == before


@pytest.mark.parametrize("state", ["held", "failed"])
def test_a_build_that_ended_otherwise_is_not_published(warehouse: Settings, manifest: Path, state: str) -> None:
    build_id = build(warehouse)
    with connect(warehouse) as connection:
        connection.execute(
            "update quality.build set state = %s, reason = 'a check' where build_id = %s", (state, build_id)
        )
    with pytest.raises(NotPublishableError, match=f"was {state}: a check"):
        publish(warehouse, build_id, manifest=manifest)


def test_a_build_without_an_audit_is_not_published(warehouse: Settings, manifest: Path) -> None:
    with connect(warehouse) as connection:
        build_id = start_build(connection, audited=False)
    with pytest.raises(NotPublishableError, match="not audited"):
        publish(warehouse, build_id, manifest=manifest)


def test_a_key_that_stands_twice_leaves_the_old_build_whole(warehouse: Settings, manifest: Path) -> None:
    first = build(warehouse)
    publish(warehouse, first, manifest=manifest)
    second = build(warehouse, wards=6)
    with connect(warehouse) as connection:
        connection.execute("insert into build_pub_burglary.burglary_monthly values (99, '2017-04-01', 1, 1)")
        connection.execute("insert into build_pub_burglary.burglary_monthly values (99, '2017-04-01', 2, 1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        publish(warehouse, second, manifest=manifest)
    assert scalar(warehouse, "select max(build_id) from pub_core.dim_ward") == first
    assert scalar(warehouse, "select build_id from core.published_build") == first


def test_models_gain_columns_change_types_and_keys(warehouse: Settings, manifest: Path, tmp_path: Path) -> None:
    publish(warehouse, build(warehouse), manifest=manifest)
    second = build(warehouse, wards=7)
    with connect(warehouse) as connection:
        connection.execute("alter table build_pub_core.dim_ward add is_core boolean default true")
        connection.execute("alter table build_pub_core.fct_crime alter crime_key type text using 'c' || crime_key")
        connection.execute("alter table build_pub_burglary.burglary_monthly alter burglary_count type bigint")
        connection.execute("insert into build_pub_burglary.burglary_monthly values (1, '2017-04-01', 1, 1)")
    models = MODELS | {"pub_burglary.burglary_monthly": {"primary_key": ["ward_key", "month", "burglary_count"]}}
    publish(warehouse, second, manifest=write_manifest(tmp_path / "m2.json", models))
    assert scalar(warehouse, "select count(*) from pub_core.dim_ward where is_core") == 7
    assert scalar(warehouse, "select count(*) from pub_core.fct_crime where crime_key like 'c%'") == 50
    assert scalar(
        warehouse,
        "select count(*) from pub_burglary.burglary_monthly p"
        " join build_pub_burglary.burglary_monthly b using (ward_key, month, burglary_count)",
    ) == scalar(warehouse, "select count(*) from build_pub_burglary.burglary_monthly")


def test_indexes_follow_the_model(warehouse: Settings, manifest: Path) -> None:
    publish(warehouse, build(warehouse), manifest=manifest)
    second = build(warehouse)
    with connect(warehouse) as connection:
        connection.execute("drop index build_pub_core.fct_crime_ward_key_idx")
        connection.execute("create unique index on build_pub_core.fct_crime (crime_count, crime_key)")
    publish(warehouse, second, manifest=manifest)
    assert scalar(warehouse, INDEXES) == [
        "btree (crime_count, crime_key)",
        "btree (crime_key)",
    ]


def test_a_lost_column_is_emptied_and_dropped_only_on_purpose(warehouse: Settings, manifest: Path) -> None:
    publish(warehouse, build(warehouse), manifest=manifest)
    with connect(warehouse) as connection:
        connection.execute("alter table build_pub_core.fct_crime drop column ward_key")
        connection.execute("update build_pub_core.fct_crime set build_id = 0")
        build_id = start_build(connection)
    publish(warehouse, build_id, manifest=manifest)
    assert scalar(warehouse, "select count(ward_key) from pub_core.fct_crime") == 0
    comment = "select col_description('pub_core.fct_crime'::regclass, 2)"
    assert "No longer filled" in str(scalar(warehouse, comment))
    with pytest.raises(NotPublishableError, match="still builds"):
        retire(warehouse, "pub_core.fct_crime", "crime_count")
    retire(warehouse, "pub_core.fct_crime", "ward_key")
    assert (
        scalar(
            warehouse,
            "select count(*) from information_schema.columns"
            " where table_schema = 'pub_core' and table_name = 'fct_crime' and column_name = 'ward_key'",
        )
        == 0
    )


def test_a_table_that_is_no_longer_built_stays_and_is_flagged(
    warehouse: Settings, manifest: Path, tmp_path: Path
) -> None:
    publish(warehouse, build(warehouse), manifest=manifest)
    fewer = {name: meta for name, meta in MODELS.items() if name != "pub_core.dim_ward"}
    publish(warehouse, build(warehouse), manifest=write_manifest(tmp_path / "fewer.json", fewer))
    assert scalar(warehouse, "select count(*) from pub_core.dim_ward") == 5
    assert scalar(warehouse, "select state from quality.alert where dedup_key = 'retire:pub_core.dim_ward'") == "open"


def test_what_dbt_has_not_built_is_an_error(warehouse: Settings, tmp_path: Path) -> None:
    build_id = build(warehouse)
    models = MODELS | {"pub_core.dim_lsoa": {"primary_key": ["lsoa_key"]}}
    with pytest.raises(ShapeError, match=r"has not built build_pub_core\.dim_lsoa"):
        publish(warehouse, build_id, manifest=write_manifest(tmp_path / "more.json", models))
    with pytest.raises(ManifestError, match="primary_key"):
        publish(warehouse, build_id, manifest=write_manifest(tmp_path / "bare.json", {"pub_core.dim_ward": {}}))


READ = """
select (select min(split_part(ward_name, ' as of ', 2)::bigint) from pub_core.dim_ward),
       (select max(build_id) from pub_core.dim_ward),
       (select min(crime_count) from pub_core.fct_crime),
       (select max(build_id) from pub_core.fct_crime),
       (select min(build_id) from pub_burglary.burglary_monthly),
       (select max(build_id) from pub_burglary.burglary_monthly),
       (select build_id from core.published_build)
"""


class Reader(threading.Thread):
    """Asks for all tables at once, over and over; in REPEATABLE READ also table by table."""

    def __init__(self, settings: Settings, isolation: psycopg.IsolationLevel) -> None:
        super().__init__(daemon=True)
        self.settings = settings
        self.isolation = isolation
        self.stop = threading.Event()
        self.seen: set[int] = set()
        self.mixed: list[object] = []
        self.reads = 0

    def run(self) -> None:
        with connect(self.settings, application_name="reader") as connection:
            connection.isolation_level = self.isolation
            while not self.stop.is_set():
                with connection.transaction():
                    row = connection.execute(READ).fetchone()
                    assert row is not None
                    answers = set(row)
                    if self.isolation == psycopg.IsolationLevel.REPEATABLE_READ:
                        time.sleep(0.002)
                        answers |= set(connection.execute(READ).fetchone() or ())
                if len(answers) > 1:
                    self.mixed.append(row)
                self.seen |= answers
                self.reads += 1


@pytest.fixture
def readers(warehouse: Settings, manifest: Path) -> Iterator[list[Reader]]:
    publish(warehouse, build(warehouse, crimes=2000), manifest=manifest)
    threads = [
        Reader(warehouse, psycopg.IsolationLevel.READ_COMMITTED),
        Reader(warehouse, psycopg.IsolationLevel.REPEATABLE_READ),
    ]
    for thread in threads:
        thread.start()
    yield threads
    for thread in threads:
        thread.stop.set()
        thread.join(30)
        assert not thread.is_alive()


def test_readers_see_one_build_at_any_moment(warehouse: Settings, manifest: Path, readers: list[Reader]) -> None:
    builds = []
    for number in range(8):
        builds.append(build(warehouse, wards=5 + number, crimes=2000 + number))
        if number == 4:  # a change of shape must wait for readers and not end them
            with connect(warehouse) as connection:
                connection.execute("alter table build_pub_core.dim_ward add note text")
        publish(warehouse, builds[-1], manifest=manifest)
    for reader in readers:
        reader.stop.set()
        reader.join(30)
        assert reader.mixed == []
        assert reader.reads > 20
        assert len(reader.seen & set(builds)) >= 3


def test_a_publisher_killed_midway_leaves_the_old_build(
    warehouse: Settings, manifest: Path, readers: list[Reader]
) -> None:
    kills = 0
    for delay in (0.0, 0.02, 0.05, 0.1, 0.2):
        before = scalar(warehouse, "select build_id from core.published_build")
        build_id = build(warehouse, crimes=60_000)
        killer = threading.Thread(target=kill_publisher, args=(warehouse, delay))
        killer.start()
        try:
            publish(warehouse, build_id, manifest=manifest)
        except psycopg.OperationalError:
            kills += 1
            assert scalar(warehouse, "select build_id from core.published_build") == before
            assert publish(warehouse, build_id, manifest=manifest).build_id == build_id
        killer.join(30)
        assert differences(warehouse) == 0
    assert kills >= 2
    assert [reader.mixed for reader in readers] == [[], []]


def kill_publisher(settings: Settings, delay: float) -> None:
    with connect(settings, autocommit=True) as connection:
        for _ in range(3000):
            found = connection.execute(
                "select pid from pg_stat_activity where application_name = 'saferkc build'"
                " and datname = current_database()"
                " and query ilike any(array['delete%', 'update%', 'insert%'])"
            ).fetchone()
            if found:
                time.sleep(delay)
                connection.execute("select pg_terminate_backend(%s)", found)
                return
            time.sleep(0.001)


def test_two_publishers_wait_for_each_other(warehouse: Settings, manifest: Path) -> None:
    first, second = build(warehouse, crimes=20_000), build(warehouse, crimes=20_000)
    threads = [
        threading.Thread(target=publish, args=(warehouse, build_id), kwargs={"manifest": manifest})
        for build_id in (first, second)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert differences(warehouse) == 0
    assert scalar(warehouse, "select count(*) from quality.build where state = 'published'") == 2


ROW = st.tuples(
    st.integers(0, 6),
    st.sampled_from(["a", "b"]),
    st.one_of(st.none(), st.integers(-1, 1)),
    st.one_of(st.none(), st.sampled_from(["", "x", "y"])),
    st.one_of(st.none(), st.floats(allow_infinity=True, allow_nan=True, width=32)),
)
TABLE = st.lists(ROW, max_size=12, unique_by=lambda row: (row[0], row[1]))


@pytest.fixture
def pair(settings: Settings) -> Iterator[Connection]:
    with connect(settings) as connection:
        for name in ("diff_source", "diff_target"):
            connection.execute(
                f"create temp table {name} (k integer, l text, n integer, t text, f double precision, j json,"
                " primary key (k, l))".encode()
            )
        connection.commit()
        yield connection


@given(old=TABLE, new=TABLE)
@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_becomes_equal_to_any_other(pair: Connection, old: list[tuple], new: list[tuple]) -> None:  # type: ignore[type-arg]
    pair.execute("truncate diff_source, diff_target")
    with pair.cursor() as cursor:
        for name, rows in (("diff_source", new), ("diff_target", old)):
            cursor.executemany(
                f"insert into {name} values (%s, %s, %s, %s, %s, json_build_object('n', %s::text))".encode(),
                [(*row, str(row[2])) for row in rows],
            )
    changes = make_equal(
        pair,
        Tables(
            source=("pg_temp", "diff_source"),
            target=("pg_temp", "diff_target"),
            key=("k", "l"),
            columns=("k", "l", "n", "t", "f", "j"),
            compare_as_text=frozenset({"j"}),
        ),
    )
    select = "select k, l, n, t, f::text, j::text from {} order by 1, 2"
    published = pair.execute(select.format("diff_target").encode()).fetchall()
    built = pair.execute(select.format("diff_source").encode()).fetchall()
    assert published == built
    by_key = {(row[0], row[1]): str(row[2:]) for row in old}
    assert changes.deleted == len(by_key.keys() - {(row[0], row[1]) for row in new})
    assert changes.inserted == len({(row[0], row[1]) for row in new} - by_key.keys())
    assert changes.updated <= sum(by_key.get((row[0], row[1]), str(row[2:])) != str(row[2:]) for row in new)
    pair.rollback()
