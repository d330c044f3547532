"""Make one table equal to another by primary key, in three set-based statements."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from saferkc.warehouse.connection import Connection


@dataclass(frozen=True)
class Changes:
    """Rows deleted, updated and inserted."""

    deleted: int
    updated: int
    inserted: int

    @property
    def total(self) -> int:
        """All rows touched."""
        return self.deleted + self.updated + self.inserted


def make_equal(
    connection: Connection,
    *,
    source: tuple[str, str],
    target: tuple[str, str],
    key: tuple[str, ...],
    columns: tuple[str, ...],
    compare_as_text: frozenset[str] = frozenset(),
    newer_than_build: int | None = None,
) -> Changes:
    """Bring ``target`` (schema, table) to hold the rows of ``source``, matched by ``key``.

    ``columns`` are the source's columns. A row that is equal already is left alone, so readers' caches and
    the table's size follow the change and not the history. With ``newer_than_build``, only source rows whose
    ``build_id`` is greater are compared; rows whose key vanished are found among all, since a deleted row
    leaves no stamp. Both tables hold each key once; a key of the source that stands twice or is NULL breaks
    the target's primary key and so the caller's transaction.
    """
    names: dict[str, sql.Composable] = {
        "source": sql.Identifier(*source),
        "target": sql.Identifier(*target),
        "matches": sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(column)) for column in key),
        "first_key": sql.Identifier(key[0]),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "newer": sql.SQL("true")
        if newer_than_build is None
        else sql.SQL("s.build_id > {}").format(sql.Literal(newer_than_build)),
    }
    deleted = connection.execute(
        sql.SQL("delete from {target} t where not exists (select 1 from {source} s where {matches})").format(**names)
    ).rowcount
    updated = _update(connection, key, columns, compare_as_text, names)
    inserted = connection.execute(
        sql.SQL(
            "insert into {target} ({columns}) select {columns} from {source} s"
            " where {newer} and not exists (select 1 from {target} t where {matches})"
        ).format(**names)
    ).rowcount
    return Changes(deleted, updated, inserted)


def _update(
    connection: Connection,
    key: tuple[str, ...],
    columns: tuple[str, ...],
    compare_as_text: frozenset[str],
    names: dict[str, sql.Composable],
) -> int:
    others = [column for column in columns if column not in key]
    if not others:
        return 0

    def compared(alias: str) -> sql.Composed:
        return sql.SQL(", ").join(
            sql.SQL("{}.{}{}").format(
                sql.SQL("t" if alias == "t" else "s"),
                sql.Identifier(column),
                sql.SQL("::text" if column in compare_as_text else ""),
            )
            for column in others
        )

    return connection.execute(
        sql.SQL(
            "update {target} t set {assignments} from {source} s"
            " where {matches} and {newer} and row({old}) is distinct from row({new})"
        ).format(
            assignments=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(sql.Identifier(column)) for column in others),
            old=compared("t"),
            new=compared("s"),
            **names,
        )
    ).rowcount
