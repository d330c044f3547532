"""How long the stars and marts take to build, and how fast analysts' queries on them are.

Run with the project's own Python: ``.venv/bin/python benchmarks/warehouse.py``; see README.md for what is measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import raw_rows
from bench import HERE, Bench, BenchmarkError, a_bench, options_of_marts, tell
from measuring import ChildError, Measured, machine
from psycopg import sql
from queries import Timing, read_queries, time_queries
from saferkc.warehouse import embedded
from warehouse_tables import report

BY_HAND = HERE / "hand_written"
HAND_SCHEMA = "by_hand"
NIGHTS = {
    "recent": "a night with 1 % changed, of the last three months",
    "none": "a night with nothing changed",
    "spread": "a night with 1 % changed, of all years",
}


@dataclass
class Figures:
    """What a run measured."""

    years: int
    scale: int
    with_tests: bool = True
    file: Path | None = None
    versions: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    runs: dict[str, Measured] = field(default_factory=dict)
    corrected: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    unequal: list[str] = field(default_factory=list)
    queries: list[Timing] = field(default_factory=list)

    def keep(self) -> None:
        """Write what is measured so far to the file, if there is to be one."""
        if self.file:
            self.file.write_text(json.dumps(_document(self), indent=1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables and return the exit status: 1 where something is not as it was to be."""
    options = _options(arguments)
    figures = Figures(options.years, options.scale, options.tests, options.json)
    status = 0
    try:
        with a_bench(options.home, options.patience) as bench:
            figures.versions = bench.versions("dbt-core", "dbt-postgres", "psycopg")
            with bench.turn():
                _measure(bench, figures, options.repeats)
    except (BenchmarkError, ChildError, embedded.EmbeddedPostgresError) as error:
        print(f"warehouse: {error}", file=sys.stderr)
        status = 1
    finally:
        # what was measured before it broke off, or was ended, is worth having
        print(report(figures, NIGHTS), flush=True)
    return 1 if figures.unequal else status


def _measure(bench: Bench, figures: Figures, repeats: int) -> None:
    tell("one borough: delivered and loaded")
    bench.step("borough")
    tell(f"{figures.scale} boroughs, {figures.years} years")
    figures.rows = raw_rows.multiply(bench.url, figures.years, figures.scale)
    bench.settle([])
    _build(bench, figures, "full")
    for night, title in NIGHTS.items():
        with psycopg.connect(bench.url, autocommit=True) as connection:
            tell(f"correcting records: {title}")
            figures.corrected[night] = raw_rows.correct(connection, night, figures.years)
        bench.settle([])
        _build(bench, figures, night)
    tell("analysts' queries")
    figures.queries = time_queries(bench.url, read_queries(HERE / "analyst_queries.sql"), repeats)
    figures.keep()
    # the same tables made at once from the corrected records: the full build and the nights must have led to the same
    _measured(bench, figures, "by hand", "by_hand", str(BY_HAND), HAND_SCHEMA)
    tell("comparing the hand-written tables with dbt's")
    figures.unequal += _compare(bench.url, figures)
    for table in figures.unequal:
        tell(f"  not equal: {table}")
    figures.keep()


def _build(bench: Bench, figures: Figures, name: str) -> None:
    models = _measured(bench, figures, f"{name}: models", "models", "full" if name == "full" else "night")
    if name != "full":
        share = models.seconds / figures.runs["full: models"].seconds
        tell(f"    {share:.3f} of the full build")
    build = str(models.report["build"])
    if figures.with_tests:
        tests = _measured(bench, figures, f"{name}: tests", "tests")
        if tests.report["failed"]:
            tell(f"  tests that did not pass: {', '.join(tests.report['failed'])}")
    _measured(bench, figures, f"{name}: publish", "publish", build)


def _measured(bench: Bench, figures: Figures, name: str, step: str, *arguments: str) -> Measured:
    measured = bench.step(step, *arguments, patience=bench.patience)
    figures.runs[name] = measured
    tell(f"  {name}: {measured.seconds:.1f} s, {measured.peak_mib:,.0f} MiB")
    figures.keep()
    return measured


def _compare(url: str, figures: Figures) -> list[str]:
    """Compare each hand-written table with dbt's of that name; returns those that differ in rows or values."""
    with psycopg.connect(url, autocommit=True) as hand, psycopg.connect(url, autocommit=True) as dbt:
        found = hand.execute(
            "select h.table_name, b.table_schema from information_schema.tables as h"
            " left join information_schema.tables as b on b.table_name = h.table_name"
            " and (b.table_schema like 'build\\_%%' or b.table_schema = 'intermediate')"
            " where h.table_schema = %s order by 1",
            [HAND_SCHEMA],
        ).fetchall()
        if not found:
            raise BenchmarkError("the hand-written SQL made no table")
        unequal = []
        with ThreadPoolExecutor(2) as workers:
            for table, schema in found:
                if schema is None:  # a step on the way
                    continue
                columns = _columns(hand, HAND_SCHEMA, table)
                # both sides at the same time: each takes a core
                asked = workers.submit(_sum, hand, HAND_SCHEMA, table, columns)
                built = workers.submit(_sum, dbt, schema, table, columns).result()
                by_hand = asked.result()
                figures.tables[f"{schema.removeprefix('build_')}.{table}"] = built[0]
                if by_hand != built:
                    unequal.append(f"{table}: {by_hand[0]:,} rows by hand, {built[0]:,} by dbt")
    return unequal


def _columns(connection: psycopg.Connection, schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s"
        " order by ordinal_position",
        [schema, table],
    )
    return [row[0] for row in rows]


def _sum(connection: psycopg.Connection, schema: str, table: str, columns: Sequence[str]) -> tuple[int, Any]:
    """Rows, and a sum over a hash of each row's columns, whatever the rows' order."""
    row = connection.execute(
        sql.SQL("select count(*), sum(hashtextextended(t::text, 0)::numeric) from (select {} from {}) as t").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table)
        )
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    return int(row[0]), row[1]


def _document(figures: Figures) -> dict[str, Any]:
    return {
        "machine": machine(),
        "versions": figures.versions,
        "years": figures.years,
        "scale": figures.scale,
        "rows": figures.rows,
        "corrected": figures.corrected,
        "tables": figures.tables,
        "unequal": figures.unequal,
        "runs": {name: vars(run) for name, run in figures.runs.items()},
        "queries": [vars(timing) for timing in figures.queries],
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Building the stars and marts, and querying them.")
    parser.add_argument("--without-tests", dest="tests", action="store_false", help="leave the tests of models out")
    return options_of_marts(parser, arguments, scale=50)


if __name__ == "__main__":
    sys.exit(main())
