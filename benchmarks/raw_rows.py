"""Raw rows for the benchmark of the warehouse: one borough through the real loader, then others made from it by SQL.

The loader takes an hour for ten million offences and their people; that is the other benchmark's matter. Here the
borough's own raw rows are written once more for each further one, with references, tokens and places of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg import sql
from saferkc.simulation.places import london
from saferkc.simulation.world.places import borough

LAST_YEAR = 2016  # the financial year with which the rows end
# what a copy must have of its own, in each table; {n} is its number
_REFERENCE = "lpad(((left({c}, 2)::int + {n}) % 100)::text, 2, '0') || substr({c}, 3)"
_OWN: dict[str, dict[str, str]] = {
    "police_offences": {
        "offence_id_police": _REFERENCE, "borough_name": "place.borough_name",
        "investigating_borough_name": "place.borough_name",
    },
    "police_victims": {"offence_id_police": _REFERENCE},
    "police_accused": {"offence_id_police": _REFERENCE},
    "police_outcomes": {"offence_id_police": _REFERENCE},
    "police_asb_incidents": {
        "incident_id_police": "(split_part({c}, '/', 1)::int + 400 * {n}) || '/' || split_part({c}, '/', 2)"
    },
    "council_enforcement_actions": {
        "action_id_council": "left({c}, 5) || lpad((substr({c}, 6)::int + 100000 * {n})::text, 7, '0')"
    },
    "tmo_asb_cases": {"case_id_tmo": "left({c}, 9) || lpad((substr({c}, 10)::int + 10000 * {n})::text, 6, '0')"},
}  # fmt: skip
_PLACES = ("ward_code", "ward_name", "lsoa_code")
# what a correction changes, so that a measure of most marts moves with it
_CORRECTED = {
    "police_offences": {"location_type": "case location_type when 'Street' then 'Shop' else 'Street' end"},
    "police_victims": {"age": "coalesce(age, 20) % 80 + 1"},
    "police_accused": {"age": "coalesce(age, 20) % 80 + 1"},
    "police_outcomes": {"outcome_date": "outcome_date + 1"},
    "police_asb_incidents": {"location_type": "case location_type when 'Street' then 'Shop' else 'Street' end"},
    "council_enforcement_actions": {"outcome_name": "'Warning given'"},
    "tmo_asb_cases": {"priority_code": "case priority_code when 'A' then 'B' else 'A' end"},
}


def multiply(url: str, years: int, scale: int) -> dict[str, int]:
    """Keep the last ``years`` financial years and write every feed's rows ``scale`` times; rows in each table.

    Two tables are written at a time: the server's work is nearly all of it, and it has a core for each.
    """
    first = f"{LAST_YEAR + 1 - years}-04-01"
    with psycopg.connect(url, autocommit=True) as connection:
        _make_places(connection, scale)
        for table in _OWN:
            _keep_template(connection, table, first)

        def write(table: str) -> int:
            with psycopg.connect(url, autocommit=True) as own:
                own.execute("set maintenance_work_mem = '1GB'")
                with own.transaction():
                    rows = _multiply(own, table, scale)
                own.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier("raw", table)))
                return rows

        with ThreadPoolExecutor(2) as workers:
            rows = dict(zip(_OWN, workers.map(write, _OWN), strict=True))
        for table in ("benchmark_place", *(f"benchmark_template_{table}" for table in _OWN)):
            connection.execute(f"drop table {table}".encode())
        _mend_account(connection)
    return rows


def correct(connection: psycopg.Connection, which: str, years: int) -> int:
    """A night in which a hundredth of all records was corrected; returns how many.

    ``recent`` takes records of the last three months, ``spread`` those of all years, ``none`` leaves every record as
    it is: the agencies delivered, and nothing had changed. People and outcomes change with their offence.
    """
    conditions = {
        "recent": f"r.period >= '{LAST_YEAR + 1}-01-01' and abs(hashtext({{key}})) % 100 < {4 * years}",
        "spread": "abs(hashtext({key})) % 100 = 0",
        "none": "false",
    }
    with connection.transaction():
        changed = sum(_correct(connection, table, conditions[which]) for table in _OWN)
    for table in _OWN:
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier("raw", table)))
    return changed


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    found = connection.execute(
        "select column_name from information_schema.columns where table_schema = 'raw' and table_name = %s"
        " order by ordinal_position",
        [table],
    )
    return [row[0] for row in found]


def _make_places(connection: psycopg.Connection, scale: int) -> None:
    """For each copy, the area of its borough that stands for one of the first borough's."""
    connection.execute(
        "create unlogged table benchmark_place (n int, home_lsoa_code text, borough_name text, ward_code text,"
        " ward_name text, lsoa_code text, primary key (n, home_lsoa_code))"
    )
    with connection.cursor().copy("copy benchmark_place from stdin") as copy:
        for row in _places(scale):
            copy.write_row(row)
    connection.execute("analyze benchmark_place")


def _places(scale: int) -> Iterator[tuple[int, str, str, str, str, str]]:
    codes = london().lsoas["lsoa_code"].to_list()
    home = borough(0)
    for number in range(scale):
        here = borough(number)
        for ward, lsoas in enumerate(home.lsoas):
            there = ward % len(here.lsoas)
            for place, lsoa in enumerate(lsoas.tolist()):
                own = here.lsoas[there].tolist()
                yield (
                    number,
                    codes[lsoa],
                    here.name,
                    here.ward_codes[there],
                    here.ward_names[there],
                    codes[own[place % len(own)]],
                )


def _keep_template(connection: psycopg.Connection, table: str, first: str) -> None:
    """One borough's rows of the years that are kept, from which those of every borough are written."""
    kept = f"r.period >= '{first}'"
    if "offence_id_police" in _columns(connection, table) and table != "police_offences":
        kept = (
            "exists (select from benchmark_template_police_offences as o"
            " where o.offence_id_police = r.offence_id_police)"
        )
    connection.execute(
        f"create unlogged table benchmark_template_{table} as select * from raw.{table} as r where {kept}".encode()  # noqa: S608
    )
    connection.execute(f"analyze benchmark_template_{table}".encode())


def _multiply(connection: psycopg.Connection, table: str, scale: int) -> int:
    columns = _columns(connection, table)
    has_place = "lsoa_code" in columns or "ward_code" in columns
    raw = sql.Identifier("raw", table)
    # the index is cheaper made once than kept up; a table emptied in the same transaction needs no log
    indexes = connection.execute(
        "select indexname, indexdef from pg_indexes where schemaname = 'raw' and tablename = %s", [table]
    ).fetchall()
    connection.execute(sql.SQL("truncate {}").format(raw))
    for name, _ in indexes:
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier("raw", name)))
    join = ""
    if has_place:
        by = "t.lsoa_code = place.home_lsoa_code" if "lsoa_code" in columns else "t.ward_code = place.home_ward_code"
        join = f"left join {_place_of(columns)} as place on place.n = copies.n and {by}"
    values = ", ".join(_value(table, column) for column in columns)
    rows = connection.execute(
        f"insert into raw.{table} ({', '.join(columns)}) select {values}"  # noqa: S608  (names are the contracts')
        f" from generate_series(0, {scale - 1}) as copies (n)"
        f" cross join benchmark_template_{table} as t {join}".encode()
    ).rowcount
    for _, definition in indexes:
        connection.execute(definition.encode())
    return rows


def _place_of(columns: list[str]) -> str:
    if "lsoa_code" in columns:
        return "benchmark_place"
    # cases have no LSOA: one ward of the copy's borough for each of the first one's
    return (
        "(select distinct on (p.n, home.ward_code) p.n, home.ward_code as home_ward_code, p.ward_code, p.ward_name"
        " from benchmark_place as p join benchmark_place as home on home.n = 0"
        " and home.home_lsoa_code = p.home_lsoa_code order by p.n, home.ward_code)"
    )


def _value(table: str, column: str) -> str:
    own = _OWN[table].get(column)
    if own is not None:
        copied = own.format(c=f"t.{column}", n="copies.n")
    elif column in _PLACES:
        copied = f"place.{column}"
    elif column.endswith("_token"):
        copied = f"'k1:' || md5(t.{column} || copies.n)"
    elif column in ("record_key", "row_hash"):
        copied = f"md5(t.{column}::text || copies.n)::uuid"
    else:
        return f"t.{column}"
    return f"case when copies.n = 0 then t.{column} else {copied} end"


def _correct(connection: psycopg.Connection, table: str, condition: str) -> int:
    columns = _columns(connection, table)
    key = next(column for column in columns if column.endswith(("_id_police", "_id_council", "_id_tmo")))
    delivery = connection.execute(
        """
        insert into quality.delivery (feed, source_name, sha256, bytes, received_at, scope, vintage,
            covers_from, covers_to, state, is_simulated, contract_version, extracted_at)
        select last.feed, 'benchmark',
            repeat(md5(random()::text), 2), 0, now(), last.scope, last.vintage + 1, last.covers_to + 1,
            last.covers_to + 1, 'admitted', true, last.contract_version, last.extracted_at + interval '1 day'
        from quality.delivery as last where last.feed = %s and last.state = 'admitted'
        order by last.delivery_id desc limit 1
        returning delivery_id, scope, vintage
        """,
        [table],
    ).fetchone()
    assert delivery is not None  # noqa: S101 - an insert returns its row
    connection.execute(
        "insert into quality.delivery_coverage (delivery_id, feed, scope, period, is_current)"
        " values (%s, %s, %s, %s, true)",
        [delivery[0], table, delivery[1], delivery[2]],
    )
    new = {
        "delivery_id": f"{delivery[0]}",
        "row_hash": "md5(old.row_hash::text)::uuid",
        "withdrawn_delivery_id": "null",
    }
    new |= _CORRECTED[table]
    names = ", ".join(columns)
    written = ", ".join(new.get(column, f"old.{column}") for column in columns)
    corrected = connection.execute(
        f"""
        with old as (
            update raw.{table} as r set withdrawn_delivery_id = {delivery[0]}
            where r.withdrawn_delivery_id is null and {condition.format(key=key)}
            returning r.*
        )
        insert into raw.{table} ({names}) select {written} from old
        """.encode()  # noqa: S608
    ).rowcount
    connection.execute(
        "update quality.delivery set rows_admitted = %s, rows_in = %s where delivery_id = %s",
        [corrected, corrected, delivery[0]],
    )
    return corrected


def _mend_account(connection: psycopg.Connection) -> None:
    """Let the account of each delivery say what its rows are now."""
    for table in _OWN:
        connection.execute(
            f"""
            update quality.delivery as d
            set rows_admitted = coalesce(held.n, 0),
                rows_in = coalesce(held.n, 0) + d.rows_unchanged + d.rows_quarantined
            from quality.delivery as one
            left join (select r.delivery_id, count(*) as n from raw.{table} as r group by r.delivery_id) as held
                on held.delivery_id = one.delivery_id
            where d.delivery_id = one.delivery_id and d.feed = %s and d.state = 'admitted'
            """.encode(),  # noqa: S608
            [table],
        )
