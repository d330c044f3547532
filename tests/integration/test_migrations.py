"""A warehouse of the last version goes on under the new one, with what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from loading_helpers import STREET, deliver, offence, one, query, street, street_name
from saferkc.settings import Settings
from saferkc.warehouse import migrate as migrate_module
from saferkc.warehouse.connection import connect, sqlalchemy_url
from saferkc.warehouse.migrate import migrate

MIGRATIONS = Path(migrate_module.__file__).parent / "migrations"


def upgrade(settings: Settings, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sqlalchemy.create_engine(sqlalchemy_url(settings), poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create schema if not exists quality"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_a_warehouse_from_before_extracts_keeps_its_deliveries(new_warehouse: Any, tmp_path: Path) -> None:
    with new_warehouse(tmp_path, "template1") as settings:
        upgrade(settings, "0001")
        held = (
            "insert into quality.delivery (feed, source_name, sha256, bytes, received_at, state, is_simulated,"
            " contract_version, vintage) values (%s, 'a.csv', repeat('a', 64), 1, now(), 'admitted', false, '1.0.0',"
            " '2017-04-01')"
        )
        with connect(settings) as connection:
            connection.execute(held.encode(), [STREET])
        migrate(settings)
        migrate(settings)  # nothing is left to do
        assert query(settings, "select source_name, extracted_at from quality.delivery") == [("a.csv", None)]
        with pytest.raises(psycopg.errors.UniqueViolation), connect(settings) as connection:
            connection.execute(held.encode(), [STREET])  # the same bytes are admitted once
        assert deliver(settings, STREET, street_name(), street(offence(n) for n in range(9))).rows_admitted == 9
        assert one(settings, f"select count(*) from raw.{STREET}_as_held_at(now())") == 9


def test_what_was_said_before_counts_went_through_the_gate_loses_its_small_ones(
    new_warehouse: Any, tmp_path: Path
) -> None:
    said = (
        "“A” rose by about 3 a month (50 %), “B” by about 2.7, which may be chance, “C” by about 50 a month in 3 areas."
    )
    with new_warehouse(tmp_path, "template1") as settings:
        upgrade(settings, "0008")
        with connect(settings) as connection:
            for feed in ("police_offences", "mps_recorded_crime ward"):
                connection.execute(
                    "insert into quality.recording_change (series, feed, effective_month, kind, state, evidence)"
                    " values ('A', %s, '2017-04-01', 'recording', 'suspected', jsonb_build_object('sentences',"
                    " jsonb_build_array(%s::text, 'about 1,200 and about 4 %%.')))",
                    [feed, said],
                )
            connection.execute(
                "insert into quality.alert (dedup_key, severity, audience, title, body, change_id)"
                " values ('a', 'act', 'community_safety_team', 'A', %s, 1)",
                [said],
            )
        migrate(settings)
        shown = said.replace("about 3 a month", "7 or fewer a month").replace("about 2.7", "7 or fewer")
        kept = "select evidence -> 'sentences' from quality.recording_change order by change_id"
        assert query(settings, kept) == [
            ([shown, "about 1,200 and about 4 %."],),
            ([said, "about 1,200 and about 4 %."],),
        ]
        assert query(settings, "select body from quality.alert") == [(shown,)]
