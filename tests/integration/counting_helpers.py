"""The tables from which a mart's counting is asked, and monthly marts as far as those questions go."""

from __future__ import annotations

from saferkc.publishing.suites import load_suites
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection

# (schema, mart, the column of its classes), of each mart whose suite asks about its counting
COUNTED = [
    (suite.schema_name, table.table, check.arguments["class_column"])
    for suite in load_suites(Settings.load().suites_dir)
    for table in suite.tables
    for check in table.checks
    if check.expectation == "expect_no_change_suspected"
]
_TABLES = """
create schema if not exists intermediate;
create table intermediate.int_recording__findings (
    change_id bigint, series text, is_parent boolean, class_name text, is_level boolean default false,
    borough_code text, ward_code text, feed text,
    changed_on date, state text default 'suspected', kind text default 'recording'
);
create table intermediate.int_recording__changes_by_class (
    change_code text, series text, is_parent boolean, class_name text, borough_code text, ward_code text,
    feed text, changed_on date, treatment text, provisional_from date, provisional_to date
);
create table build_core.dim_recording_regime as select 1::bigint as regime_key, 'burglary' as series;
"""
_COLUMNS = {
    "month": "date default '2017-03-01'", "geography_type": "text default 'borough'", "borough_code": "text",
    "ward_code": "text", "regime_key": "bigint default 1",
    "is_whole_series": "boolean default false", "comparability": "text default 'comparable'",
    "change_on_same_month_last_year": "integer",
}  # fmt: skip

_SUSPECTED = """
with entered as (
    insert into quality.recording_change (series, parent_series, feed, effective_month, kind, evidence)
    values ('Residential', 'Burglary', 'mps_recorded_crime', '2000-01-01', 'recording',
        '{"sentences": ["Something moved."], "signals": ["code_list"]}')
    returning change_id
)
insert into intermediate.int_recording__findings (change_id, is_parent, changed_on)
select change_id, is_parent, '2000-01-01' from entered, (values (true), (false)) as parts (is_parent)
"""
_COMPARED = """
update build_{schema}.{table} set change_on_same_month_last_year = 1;
insert into intermediate.int_recording__changes_by_class (change_code, is_parent, changed_on, treatment)
select 'a_rule', is_parent, (select max(month) from build_{schema}.{table}), 'break'
from (values (true), (false)) as parts (is_parent)
"""
COUNTING_FAULTS = {
    (table, name): fault.replace("{schema}", schema).replace("{table}", table)
    for schema, table, _ in COUNTED
    for name, fault in (
        ("no unregistered break", _SUSPECTED),
        ("no year is compared over a break", _COMPARED),
    )
}


def make_countable(connection: Connection) -> None:
    """Add to marts what is asked of their counting, without a fault in it; marts that are not there get a row."""
    connection.execute(_TABLES.encode())
    for schema, table, column in COUNTED:
        name = f"build_{schema}.{table}"
        connection.execute(f"create schema if not exists build_{schema}".encode())
        connection.execute(f"create table if not exists {name} ({column} text default 'a class')".encode())
        for added, kind in (_COLUMNS | {column: "text default 'a class'"}).items():
            connection.execute(f"alter table {name} add column if not exists {added} {kind}".encode())
        connection.execute(
            f"insert into {name} ({column}) select 'a class' where not exists (select from {name})".encode()
        )
