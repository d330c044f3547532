"""Make one table equal to another by primary key, in set-based statements."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from saferkc.warehouse.connection import Connection


@dataclass(frozen=True)
class Changes:
    """Rows deleted, updated and inserted."""

    deleted: int = 0
    updated: int = 0
    inserted: int = 0

    @property
    def total(self) -> int:
        """All rows touched."""
        return self.deleted + self.updated + self.inserted

    def __add__(self, other: Changes) -> Changes:
        """The changes of both."""
        return Changes(self.deleted + other.deleted, self.updated + other.updated, self.inserted + other.inserted)


@dataclass(frozen=True)
class Tables:
    """A source and the target that is to become equal to it.

    ``source`` and ``target`` are (schema, table), both holding each ``key`` once; ``columns`` are the source's.
    A row is rewritten when a column other than ``stamps`` differs: a stamp alone says nothing new to a reader.
    ``compare_as_text`` names columns whose type knows no equality.
    """

    source: tuple[str, str]
    target: tuple[str, str]
    key: tuple[str, ...]
    columns: tuple[str, ...]
    stamps: frozenset[str] = frozenset()
    compare_as_text: frozenset[str] = frozenset()


def make_equal(connection: Connection, tables: Tables, *, newer_than_build: int | None = None) -> Changes:
    """Bring the target to hold the rows of the source, in the caller's transaction.

    A row that is equal already is left alone, so the cost of writing follows the change and not the history.
    With ``newer_than_build`` only source rows with a greater ``build_id`` are compared, and vanished keys are
    looked for only where the tables' row counts differ after that. Should the counts differ even then, the
    target was not what the last build left, and all rows are compared.

    A key that stands twice in the source, or is NULL, breaks the target's primary key and so the transaction.
    """
    if newer_than_build is None:
        return _delete(connection, tables) + _update(connection, tables, None) + _insert(connection, tables, None)
    changes = _update(connection, tables, newer_than_build) + _insert(connection, tables, newer_than_build)
    if _counts_differ(connection, tables):
        changes += _delete(connection, tables)
        if _counts_differ(connection, tables):
            changes += make_equal(connection, tables)
    return changes


def _names(tables: Tables) -> dict[str, sql.Composable]:
    return {
        "source": sql.Identifier(*tables.source),
        "target": sql.Identifier(*tables.target),
        "matches": sql.SQL(" and ").join(
            sql.SQL("t.{0} = s.{0}").format(sql.Identifier(column)) for column in tables.key
        ),
        "columns": sql.SQL(", ").join(map(sql.Identifier, tables.columns)),
    }


def _newer(build_id: int | None) -> sql.Composable:
    return sql.SQL("true") if build_id is None else sql.SQL("s.build_id > {}").format(sql.Literal(build_id))


def _delete(connection: Connection, tables: Tables) -> Changes:
    statement = sql.SQL("delete from {target} t where not exists (select 1 from {source} s where {matches})")
    return Changes(deleted=connection.execute(statement.format(**_names(tables))).rowcount)


def _insert(connection: Connection, tables: Tables, newer_than_build: int | None) -> Changes:
    statement = sql.SQL(
        "insert into {target} ({columns}) select {columns} from {source} s"
        " where {newer} and not exists (select 1 from {target} t where {matches})"
    ).format(newer=_newer(newer_than_build), **_names(tables))
    return Changes(inserted=connection.execute(statement).rowcount)


def _update(connection: Connection, tables: Tables, newer_than_build: int | None) -> Changes:
    written = [column for column in tables.columns if column not in tables.key]
    compared = [column for column in written if column not in tables.stamps]
    if not compared:
        return Changes()

    def row(alias: str) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{}{}").format(
                sql.Identifier(alias, column), sql.SQL("::text" if column in tables.compare_as_text else "")
            )
            for column in compared
        )

    statement = sql.SQL(
        "update {target} t set {assignments} from {source} s"
        " where {matches} and {newer} and row({old}) is distinct from row({new})"
    ).format(
        assignments=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(column)) for column in written),
        newer=_newer(newer_than_build),
        old=row("t"),
        new=row("s"),
        **_names(tables),
    )
    return Changes(updated=connection.execute(statement).rowcount)


def _counts_differ(connection: Connection, tables: Tables) -> bool:
    statement = sql.SQL("select (select count(*) from {source}) <> (select count(*) from {target})")
    row = connection.execute(statement.format(**_names(tables))).fetchone()
    return row is not None and bool(row[0])
