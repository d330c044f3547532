"""The warehouse's own steps, each run by ``loading.py`` as a process of its own.

Usage: steps.py STEP [ARGUMENT...]; SAFERKC_HOME and SAFERKC_WAREHOUSE_URL say for which warehouse, BENCHMARK_REPORT
names the file into which the step writes what it did, as JSON.
"""

from __future__ import annotations

import time

_BEGUN = time.perf_counter()  # before the imports, which are part of a process's time

# ruff: noqa: E402, PLC0415
import json
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

FEED = "police_open_street"
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
        feeds=[FEED],
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


def prepare() -> dict[str, object]:
    """Make the schemas and raw tables."""
    from saferkc.settings import Settings
    from saferkc.warehouse.migrate import migrate

    migrate(Settings.load())
    return {}


def load() -> dict[str, object]:
    """From the inbox to admitted raw rows."""
    from saferkc.landing import receive
    from saferkc.loading import load_arrivals
    from saferkc.settings import Settings

    settings = Settings.load()
    ready = time.perf_counter()
    arrivals = receive(settings, FEED)
    received = time.perf_counter()
    summary = load_arrivals(settings, FEED, arrivals)
    return {
        "imports": ready - _BEGUN,
        "receive": received - ready,
        "load": time.perf_counter() - received,
        "deliveries": summary.delivery_ids,
        "not_admitted": len(summary.refused) + len(summary.duplicates),
        "rows": summary.rows_in,
    }


def check(*delivery_ids: str) -> dict[str, object]:
    """Check the deliveries in the database against their contract, as the night does after loading."""
    from saferkc.publishing import check_deliveries
    from saferkc.settings import Settings

    ready = time.perf_counter()
    summary = check_deliveries(Settings.load(), FEED, [int(delivery_id) for delivery_id in delivery_ids])
    return {
        "imports": ready - _BEGUN,
        "check": time.perf_counter() - ready,
        "checks": summary.checks,
        "failed": summary.failed,
        "reasons": summary.reasons,
    }


STEPS: dict[str, Callable[..., dict[str, object]]] = {
    "simulate": simulate,
    "prepare": prepare,
    "load": load,
    "check": check,
}

if __name__ == "__main__":
    report = STEPS[sys.argv[1]](*sys.argv[2:])
    Path(os.environ["BENCHMARK_REPORT"]).write_text(json.dumps(report))
