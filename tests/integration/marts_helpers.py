"""Small parts shared by the tests of the marts: deliver, build with dbt, read."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from psycopg import sql
from saferkc.contracts import load_contracts
from saferkc.landing import receive
from saferkc.loading import load_arrivals
from saferkc.publishing.ledger import begin_build as enter_build
from saferkc.publishing.ledger import finish_build
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, dbt_environment

# of tests/conftest.py: a folder and the name of the database to copy, to the settings of a home of its own
NewWarehouse = Callable[[Path, str], AbstractContextManager[Settings]]


def load_inbox(settings: Settings) -> None:
    """Take in whatever lies in the inbox, feed after feed."""
    for feed in load_contracts(settings.contracts_dir):
        load_arrivals(settings, feed, receive(settings, feed))


def begin_build(settings: Settings, *, full_refresh: bool = False) -> tuple[int, bool]:
    """Enter a build; returns its number and whether everything is to be built anew."""
    start = enter_build(settings, full_refresh=full_refresh)
    assert start.build_id is not None, "nothing is new"
    return start.build_id, start.full_refresh


def end_build(settings: Settings, build_id: int, state: str) -> None:
    """Close a build without publishing it, as the audit or a crash would; or as if it had been published."""
    if state == "published":
        with connect(settings) as connection:
            connection.execute(
                "update quality.build set state = 'published', finished_at = now() where build_id = %s", [build_id]
            )
    else:
        finish_build(settings, build_id, state=state, reason="a test ended it")  # type: ignore[arg-type]


# each run of dbt is a child of a process that has imported it (tests/conftest.py)
_WITH_DBT = multiprocessing.get_context("forkserver")


def _dbt(command: list[str], folder: Path, environment: dict[str, str], said: Path) -> None:
    """Be a process of dbt: in the folder of its project, in an environment of its own, its words in a file."""
    from dbt.cli.main import cli  # noqa: PLC0415 - here only, in the process that has imported it

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    with said.open("w") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    cli(command)


def run_dbt(
    settings: Settings,
    *arguments: str,
    full_refresh: bool = False,
    verb: str = "build",
) -> list[dict[str, Any]]:
    """Run ``dbt build`` as the warehouse does and return what did not end well: name, status and message."""
    target = settings.home / "dbt" / "target"
    command = ["--no-use-colors", verb, "--quiet", *arguments]
    if full_refresh:
        command.append("--full-refresh")
    environment = os.environ | dbt_environment(settings)
    environment |= {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(settings.home / "dbt" / "logs")}
    said = settings.home / "dbt" / "said.txt"
    process = _WITH_DBT.Process(target=_dbt, args=(command, settings.dbt_project_dir, dict(environment), said))
    process.start()
    process.join()
    assert (target / "run_results.json").exists(), said.read_text()
    results = json.loads((target / "run_results.json").read_text())["results"]
    assert results, said.read_text()
    return [
        {"name": result["unique_id"], "status": result["status"], "message": result["message"]}
        for result in results
        # an exposure is nothing to build
        if result["status"] not in ("success", "pass", "no-op")
    ]


def query(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    """Run a query on the warehouse."""
    with connect(settings) as connection:
        return connection.execute(statement.encode()).fetchall()


def fingerprints(settings: Settings) -> dict[str, tuple[int, str]]:
    """Rows of each built mart and a hash over them, whatever their order; the build's number left out."""
    found = {}
    with connect(settings) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema like 'build\\_%' order by 1, 2"
        ).fetchall()
        for schema, table in tables:
            statement = sql.SQL(
                "select count(*), coalesce(md5(string_agg(line, '' order by line)), '')"
                " from (select md5((to_jsonb(t) - 'build_id')::text) as line from {} as t) as lines"
            ).format(sql.Identifier(schema, table))
            row = connection.execute(statement).fetchone()
            assert row is not None
            found[f"{schema}.{table}"] = (row[0], row[1])
    return found
