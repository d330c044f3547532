"""The warehouse's own steps, each run by a benchmark as a process of its own.

Usage: steps.py STEP [ARGUMENT...]; SAFERKC_HOME and SAFERKC_WAREHOUSE_URL say for which warehouse, BENCHMARK_REPORT
names the file into which the step writes what it did, as JSON.
"""

from __future__ import annotations

import time

_BEGUN = time.perf_counter()  # before the imports, which are part of a process's time

# ruff: noqa: E402, PLC0415
import csv
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

STREET = "police_open_street"
_FIRST_MONTH = date(2015, 1, 1)


def simulate(out: str, files: str, rows_per_file: str) -> dict[str, object]:
    """Write the street files into ``out`` and count in them, apart from the loader, what it must admit."""
    import polars as pl
    from saferkc.settings import Settings
    from saferkc.simulation import simulate as deliver

    months = int(files) - 1
    last = date(_FIRST_MONTH.year + months // 12, months % 12 + 1, 1)
    written = deliver(
        Settings.load(),
        date_from=_FIRST_MONTH,
        date_to=last,
        out=Path(out),
        feeds=[STREET],
        street_rows_per_month=int(rows_per_file),
        as_archives=False,
    )
    lines = records = 0
    for path in written:
        frame = pl.read_csv(path, infer_schema=False)
        lines += frame.height
        # identical rows are one record where they carry an identifier, and each one where they do not
        has_id = pl.col("Crime ID").is_not_null()
        records += frame.filter(has_id).unique().height + frame.filter(~has_id).height
    size = sum(path.stat().st_size for path in written)
    return {"files": [str(path) for path in written], "lines": lines, "records": records, "bytes": size}


def simulate_partner(out: str, feed: str, scale: str, night: str) -> dict[str, object]:
    """Write a partner feed's history as of a night into ``out`` and count its lines."""
    from saferkc.settings import Settings
    from saferkc.simulation import deliver_partners

    day = date.fromisoformat(night)
    (file,) = deliver_partners(
        Settings.load(),
        date_from=day,
        date_to=day,
        scale=float(scale),
        out=Path(out),
        feeds=[feed],
        nights=1,
        truth=False,
    )
    return {"file": str(file), "bytes": file.stat().st_size, "lines": _lines(file)}


def _lines(file: Path) -> int:
    with file.open("rb") as stream:
        return sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 22), b""))


def change(history: str, out: str, night: str, *sizes: str) -> dict[str, object]:
    """Write nights of the police's offences after ``night``: so many records of a history each, all changed.

    They are taken evenly from the whole of it, which is harder to load than what really changes: the latest.
    """
    from saferkc.simulation.partners import file_name

    source, folder = Path(history), Path(out)
    folder.mkdir(parents=True)
    held = _lines(source) - 1
    chosen: dict[int, list[int]] = {}
    for number, size in enumerate(map(int, sizes)):
        for record in range(size):
            chosen.setdefault(1 + (record * len(sizes) + number) * held // (size * len(sizes)), []).append(number)
    days = [date.fromisoformat(night) + timedelta(days=1 + number) for number in range(len(sizes))]
    files = [folder / file_name("police_offences", day) for day in days]
    with ExitStack() as opened:
        writers = [csv.writer(opened.enter_context(file.open("w", newline="")), lineterminator="\n") for file in files]
        lines = opened.enter_context(source.open(newline=""))
        headings = next(csv.reader([next(lines)]))
        place = headings.index("Ward")
        for writer in writers:
            writer.writerow(headings)
        for record, line in enumerate(lines, 1):  # no value of the simulation holds a line end
            for number in chosen.get(record, ()):
                (fields,) = csv.reader([line])
                # another ward every night, since a record may be chosen twice
                fields[place] = f"{fields[place]} {number + 1}".strip()
                writers[number].writerow(fields)
    return {"nights": [{"file": str(file), "lines": _lines(file) - 1} for file in files]}


def prepare() -> dict[str, object]:
    """Make the schemas and raw tables."""
    from saferkc.settings import Settings
    from saferkc.warehouse.migrate import migrate

    migrate(Settings.load())
    return {}


def load(feed: str) -> dict[str, object]:
    """From the inbox to admitted raw rows."""
    from saferkc.landing import receive
    from saferkc.loading import load_arrivals
    from saferkc.settings import Settings

    settings = Settings.load()
    ready = time.perf_counter()
    arrivals = receive(settings, feed)
    received = time.perf_counter()
    summary = load_arrivals(settings, feed, arrivals)
    return {
        "imports": ready - _BEGUN,
        "receive": received - ready,
        "load": time.perf_counter() - received,
        "deliveries": summary.delivery_ids,
        "not_admitted": len(summary.refused) + len(summary.duplicates),
        "rows": summary.rows_in,
    }


def check(feed: str, *delivery_ids: str) -> dict[str, object]:
    """Check the deliveries in the database against their contract, as the night does after loading."""
    from saferkc.publishing import check_deliveries
    from saferkc.settings import Settings

    ready = time.perf_counter()
    summary = check_deliveries(Settings.load(), feed, [int(delivery_id) for delivery_id in delivery_ids])
    return {
        "imports": ready - _BEGUN,
        "check": time.perf_counter() - ready,
        "checks": summary.checks,
        "failed": summary.failed,
        "reasons": summary.reasons,
    }


def borough() -> dict[str, object]:
    """One borough's history up to March 2017, delivered by the simulated agencies and loaded."""
    from saferkc.contracts import load_contracts
    from saferkc.landing import receive
    from saferkc.loading import load_arrivals
    from saferkc.settings import Settings
    from saferkc.simulation import simulate as deliver_open
    from saferkc.simulation.partners import deliver_partners
    from saferkc.warehouse.migrate import migrate

    settings = Settings.load()
    migrate(settings)
    last = date(2017, 3, 31)
    deliver_partners(settings, date_from=last, date_to=last, nights=1, truth=False)
    open_feeds = [
        "mps_recorded_crime", "mps_other_crime", "reference_lsoa_ward", "reference_lsoa_2001_2011",
        "reference_lsoa_population", "reference_deprivation",
    ]  # fmt: skip
    deliver_open(settings, date_from=date(2015, 4, 1), date_to=last, feeds=open_feeds)
    rows = 0
    for feed in load_contracts(settings.contracts_dir):
        rows += load_arrivals(settings, feed, receive(settings, feed)).rows_in
    return {"rows": rows}


def watch() -> dict[str, object]:
    """Look for changes in counting in every feed, in all of its history, and keep what is found."""
    from saferkc.recording.watch import watch as look
    from saferkc.settings import Settings

    return {"found": look(Settings.load()).found}


def models(how: str) -> dict[str, object]:
    """Begin a build and let dbt build seeds and models, ``full`` or what is new; what each of them took."""
    from saferkc.publishing.ledger import begin_build
    from saferkc.settings import Settings

    settings = Settings.load()
    start = begin_build(settings, full_refresh=how == "full")
    if start.build_id is None:
        raise SystemExit("nothing is new, so there is nothing to build")
    if start.full_refresh != (how == "full"):
        raise SystemExit("the build would be of another kind than the one to be measured")
    begun = datetime.now(UTC)
    only = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    nodes = _dbt(settings, "build", *only, *(["--full-refresh"] if start.full_refresh else []))
    first = datetime.fromisoformat(min(node["started_at"] for node in nodes if node["started_at"]))
    return {
        "build": start.build_id,
        "before_the_first_node": (first - begun).total_seconds(),
        "nodes": nodes,
    }


def tests() -> dict[str, object]:
    """Let dbt run all tests on the build that is running, as a night does; what each took and which did not pass."""
    from saferkc.settings import Settings

    nodes = _dbt(Settings.load(), "test", "--exclude-resource-type", "unit_test")
    return {"nodes": nodes, "failed": [node["name"] for node in nodes if node["status"] not in ("pass", "success")]}


def publish(build_id: str) -> dict[str, object]:
    """Publish a build; the audit is not part of this benchmark, so it is entered as done."""
    from saferkc.publishing import publish as publish_build
    from saferkc.settings import Settings
    from saferkc.warehouse.connection import connect

    settings = Settings.load()
    with connect(settings) as connection:
        connection.execute("update quality.build set checks_run = 0 where build_id = %s", [build_id])
    return {"rows_changed": publish_build(settings, int(build_id)).rows_changed}


def by_hand(folder: str, schema: str) -> dict[str, object]:
    """Run the hand-written SQL, statement after statement on one connection, in a new schema; what each took."""
    from saferkc.settings import Settings
    from saferkc.warehouse.connection import connect

    seconds = {}
    with connect(Settings.load(), autocommit=True) as connection:
        connection.execute(f"drop schema if exists {schema} cascade".encode())
        connection.execute(f"create schema {schema}".encode())
        connection.execute(f"set search_path = {schema}, public".encode())
        for path in sorted(Path(folder).glob("*.sql")):
            for statement in path.read_text().split(";\n"):
                if not statement.strip():
                    continue
                begun = time.perf_counter()
                connection.execute(statement.encode())
                words = next(line for line in statement.splitlines() if line and not line.startswith("--"))
                seconds[words] = seconds.get(words, 0) + time.perf_counter() - begun
    return {"statements": seconds}


def _dbt(settings: Any, command: str, *arguments: str) -> list[dict[str, Any]]:
    """Run dbt in this process and return name, status and seconds of each node."""
    from saferkc.warehouse.connection import dbt_environment

    target = settings.home / "dbt" / "target"
    os.environ |= dbt_environment(settings)
    os.environ |= {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(settings.home / "dbt" / "logs")}
    os.chdir(settings.dbt_project_dir)

    from dbt.cli.main import dbtRunner

    dbtRunner().invoke(["--quiet", "--no-use-colors", command, *arguments])
    results = json.loads((target / "run_results.json").read_text())["results"]
    nodes = [
        {
            "name": result["unique_id"].split(".", 2)[2],
            "status": result["status"],
            "seconds": result["execution_time"],
            "started_at": result["timing"][-1]["started_at"] if result["timing"] else None,
        }
        for result in results
    ]
    broken = [node["name"] for node in nodes if node["status"] in ("error", "skipped")]
    if broken:
        raise SystemExit(f"dbt could not build {', '.join(broken)}: see {settings.home / 'dbt' / 'logs'}")
    return nodes


STEPS: dict[str, Callable[..., dict[str, object]]] = {
    "simulate": simulate,
    "simulate_partner": simulate_partner,
    "change": change,
    "prepare": prepare,
    "load": load,
    "check": check,
    "borough": borough,
    "watch": watch,
    "models": models,
    "tests": tests,
    "publish": publish,
    "by_hand": by_hand,
}

if __name__ == "__main__":
    report = STEPS[sys.argv[1]](*sys.argv[2:])
    Path(os.environ["BENCHMARK_REPORT"]).write_text(json.dumps(report))
