"""``saferkc sql``: one read-only query."""

from __future__ import annotations

import csv
import sys
from contextlib import closing

import psycopg
from psycopg import sql

from saferkc.cli.console import table
from saferkc.orchestration.lifecycle import database_up
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect


class QueryError(Exception):
    """The query can't be answered; the message is the server's."""


def run_query(settings: Settings, query: str, *, as_csv: bool, role: str | None) -> None:
    """Print the answer to ``query``; as CSV, formulas are made text. Raises ``QueryError``."""
    with database_up(settings), closing(connect(settings, application_name="saferkc sql")) as connection:
        try:
            connection.read_only = True
            _take_role(connection, role)
            # prepared, so that a second statement can't be smuggled in behind the first
            cursor = connection.execute(query.encode(), prepare=True)
        except psycopg.Error as error:
            raise QueryError(_words(error)) from error
        if cursor.description is None:
            return
        headings = [column.name for column in cursor.description]
        if as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(map(as_spreadsheet_text, headings))
            writer.writerows([as_spreadsheet_text(value) for value in row] for row in cursor)
        else:
            table(headings, cursor.fetchall())


# a spreadsheet program takes a text that begins so for a formula, whatever quotes stand around it
_FORMULA = tuple(
    "=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def as_spreadsheet_text(value: object) -> object:
    """Return a value as it may stand in a CSV that people open in a spreadsheet program.

    A text that would be taken for a formula gets an apostrophe before it, by which these programs know text. What
    agencies send is kept as it came, so it may hold anything. Numbers and dates of the database stay as they are.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _take_role(connection: psycopg.Connection[tuple[object, ...]], role: str | None) -> None:
    if role is not None:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        return
    # the owner could do more than read (copy to a program, say), even in a read-only transaction
    row = connection.execute("select pg_has_role('pg_read_all_data', 'member')").fetchone()
    if row is not None and row[0]:
        connection.execute("set local role pg_read_all_data")


def _words(error: psycopg.Error) -> str:
    primary = error.diag.message_primary or str(error)
    hint = f" ({error.diag.message_hint})" if error.diag.message_hint else ""
    return f"the query failed: {primary}{hint}"
