"""Bring the warehouse's ``quality`` and ``raw`` schemas up to date."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config

from saferkc.contracts import load_contracts
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect, sqlalchemy_url
from saferkc.warehouse.raw_tables import create_raw_tables


def migrate(settings: Settings) -> None:
    """Apply the migrations and make the raw tables that the contracts describe.

    Idempotent; does nothing in well under a second when all is in place.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = sqlalchemy.create_engine(sqlalchemy_url(settings), poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        # two tasks may start at once on a new warehouse
        connection.execute(sqlalchemy.text("select pg_advisory_xact_lock(hashtext('saferkc.migrate'))"))
        connection.execute(sqlalchemy.text("create schema if not exists quality"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with connect(settings) as warehouse:
        create_raw_tables(warehouse, load_contracts(settings.contracts_dir))
