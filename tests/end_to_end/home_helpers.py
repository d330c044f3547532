"""A home with real Airflow, driven through the command line as a user does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from saferkc.alerts import list_alerts
from saferkc.orchestration import airflow
from saferkc.recording.ledger import add_change
from saferkc.recording.telling import tell_people
from saferkc.settings import Settings
from saferkc.simulation import simulate
from saferkc.warehouse import embedded
from saferkc.warehouse.connection import connect

PROGRAM = Path(sys.executable).with_name("saferkc")
# a night takes minutes; on a busy machine, many
NIGHT_SECONDS = 1800
FIRST_MONTHS = (date(2017, 2, 1), date(2017, 4, 30))
# a change in counting as the detector tells of it; no delivery of these homes shows it
SUSPECTED: dict[str, Any] = {
    "series": "Burglary in a Dwelling", "parent_series": "Burglary", "feed": "police_offences", "geography": "all",
    "effective_month": date(2017, 4, 1), "kind": "recording", "nature": "split", "confidence": 0.9,
    "evidence": {"sentences": ["From April 2017 “Burglary in a Dwelling” is gone."], "classes": ["Burglary"]},
    "state": "suspected", "register_id": None, "treatment": "bridge",
}  # fmt: skip


@dataclass
class Home:
    """A home and the command line in it."""

    settings: Settings

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``saferkc`` in this home."""
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env=os.environ | {"SAFERKC_HOME": str(self.settings.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def saferkc(self, *arguments: str) -> tuple[int, str]:
        """Run ``saferkc`` in this home to its end; return exit status and output."""
        process = self.command(*arguments)
        output, _ = process.communicate(timeout=NIGHT_SECONDS)
        return process.returncode, output

    def deliver(self, date_from: date, date_to: date) -> None:
        """Put simulated deliveries into the inbox."""
        simulate(self.settings, date_from=date_from, date_to=date_to, scale=0.1, only_new=True)

    def clear(self) -> None:
        """End everything of this home, whatever state a test left it in."""
        airflow.stop(self.settings)
        embedded.stop(self.settings)
        shutil.rmtree(self.settings.home, ignore_errors=True)


def new_home(folder: Path) -> Home:
    os.environ.pop("SAFERKC_WAREHOUSE_URL", None)
    # who signs in to the pages: one who may answer, and one who may read
    os.environ["SAFERKC_PEOPLE"] = "ada:user,ben:viewer"
    return Home(Settings.load(folder))


def ask_about(home: Home, change: dict[str, Any]) -> int:
    """Let the ledger hold a change and people be asked about it; return the number of its alert."""
    with connect(home.settings) as connection:
        add_change(connection, change)
        tell_people(connection, {})
        return max(alert.alert_id for alert in list_alerts(connection) if alert.change_id is not None)


def published_content(settings: Settings) -> dict[str, str]:
    """Return a fingerprint of each published table, without what differs from build to build."""
    return content_of(settings, "")


def content_of(settings: Settings, built: str) -> dict[str, str]:
    """Return a fingerprint of each table that is published (or ``build_``: ready to be), by its published name."""
    with connect(settings) as connection:
        tables = connection.execute(
            """
            select c.table_schema, c.table_name,
                string_agg(quote_ident(c.column_name), ', ' order by c.column_name)
            from information_schema.columns as c
            join information_schema.tables as t using (table_schema, table_name)
            where t.table_type = 'BASE TABLE' and c.table_name <> 'published_build'
                and c.table_schema in (
                    select %s || substr(schema_name, 7) from information_schema.schemata
                    where schema_name like 'build\\_%%'
                )
                and c.column_name not like '%%build_id' and c.column_name not like '%%delivery_id'
            group by 1, 2 order by 1, 2
            """,
            [built],
        ).fetchall()
        found = {}
        for schema, table, columns in tables:
            query = "select count(*), md5(coalesce(string_agg(r, '|' order by r), '')) from"
            rows = f"(select row({columns})::text as r from {schema}.{table}) as t"
            count, digest = connection.execute(f"{query} {rows}".encode()).fetchone() or (0, "")
            found[f"{schema.removeprefix(built)}.{table}"] = f"{count} rows, {digest}"
    return found
