"""Small parts shared by the tests of building, auditing and publishing."""

from __future__ import annotations

import json
from pathlib import Path

from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect


def write_manifest(path: Path, models: dict[str, dict[str, object]]) -> Path:
    """Write a dbt manifest that knows ``models``: ``schema.table`` to its meta, in which ``is_view`` makes a view."""
    nodes = {
        f"model.saferkc.{name.split('.')[1]}": {
            "resource_type": "model",
            "name": name.split(".")[1],
            "alias": name.split(".")[1],
            "schema": "build_" + name.split(".")[0],
            "config": {"enabled": True, "materialized": "view" if meta.get("is_view") else "table", "meta": meta},
        }
        for name, meta in models.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nodes": nodes}))
    return path


def start_build(connection: Connection, *, audited: bool = True) -> int:
    """Enter a running build, by default one that the audit has passed."""
    row = connection.execute(
        "insert into quality.build (checks_run, checks_failed) values (%s, 0) returning build_id",
        (1 if audited else None,),
    ).fetchone()
    assert row is not None
    connection.commit()
    return int(row[0])


def deliver(connection: Connection, feed: str = "police_open_street", rows: int = 0, **columns: object) -> int:
    """Enter an admitted delivery of ``rows`` rows in the accounts and return its id."""
    values: dict[str, object] = {
        "feed": feed,
        "source_name": "simulated.csv",
        "bytes": 1,
        "received_at": "2017-05-01",
        "state": "admitted",
        "rows_in": rows,
        "rows_admitted": rows,
        "is_simulated": True,
        "contract_version": "1.0.0",
    } | columns
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    row = connection.execute(
        f"insert into quality.delivery (sha256, {names})"
        f" values (repeat('0', 32) || md5(random()::text), {marks}) returning delivery_id".encode(),
        list(values.values()),
    ).fetchone()
    assert row is not None
    connection.commit()
    return int(row[0])


def scalar(settings: Settings, query: str) -> object:
    """The one value of a query."""
    with connect(settings) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
