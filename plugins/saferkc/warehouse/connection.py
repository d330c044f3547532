"""Connections to the warehouse, for our own code (psycopg 3) and for dbt and SQLAlchemy."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.rows import TupleRow

from saferkc.settings import Settings

Connection = psycopg.Connection[TupleRow]


def connect(settings: Settings, *, autocommit: bool = False, application_name: str = "saferkc") -> Connection:
    """Open a connection to the warehouse.

    Raises ``psycopg.OperationalError`` when the server can't be reached.
    """
    return psycopg.connect(
        settings.warehouse_url,
        autocommit=autocommit,
        application_name=application_name,
        options="-c timezone=Europe/London -c datestyle=ISO",
    )


def dbt_environment(settings: Settings) -> dict[str, str]:
    """Return the variables from which ``dbt_project/profiles.yml`` takes its connection."""
    parts = urlsplit(settings.warehouse_url)
    return {
        "SAFERKC_DBT_HOST": parts.hostname or "127.0.0.1",
        "SAFERKC_DBT_PORT": str(parts.port or 5432),
        "SAFERKC_DBT_USER": unquote(parts.username or ""),
        "SAFERKC_DBT_PASSWORD": unquote(parts.password or ""),
        "SAFERKC_DBT_DATABASE": parts.path.lstrip("/"),
    }


def sqlalchemy_url(settings: Settings, driver: str = "psycopg2") -> str:
    """Return the warehouse's URL in SQLAlchemy's spelling."""
    scheme, rest = settings.warehouse_url.split("://", 1)
    return f"{scheme.split('+')[0]}+{driver}://{rest}"


def fetch_all(connection: Connection, query: str, parameters: Any = None) -> list[dict[str, Any]]:
    """Run a query and return its rows as dictionaries, column name to value."""
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        cursor.execute(query.encode(), parameters)
        return cursor.fetchall()
