"""The shape of published tables: brought in line with what dbt built, inside the publishing transaction.

A reader may hold a snapshot from before the publication, so nothing here rewrites a table: PostgreSQL shows a
rewritten table as empty to older snapshots. Columns are only added, or dropped and added where the type has
changed; new tables are made beside the old.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from saferkc.publishing.manifest import PublishedModel
from saferkc.warehouse.connection import Connection

_RETIRED = "No longer filled: the model lost this column in build {}."


class ShapeError(Exception):
    """A built table can't be published as it is; the message names it and what to do."""


@dataclass(frozen=True)
class Shape:
    """Columns of a table, name to type as PostgreSQL prints it, in order."""

    columns: dict[str, str]

    @property
    def uncomparable(self) -> set[str]:
        """Columns whose type has no equality, so they are compared as text."""
        return {name for name, kind in self.columns.items() if kind in ("json", "xml", "point", "polygon")}


def shape_of(connection: Connection, schema: str, table: str) -> Shape | None:
    """Return the table's shape, or None where there is no such table or view."""
    rows = connection.execute(
        """
        select a.attname, format_type(a.atttypid, a.atttypmod)
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = %s and c.relname = %s and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and a.attnum > 0 and not a.attisdropped
        order by a.attnum
        """,
        (schema, table),
    ).fetchall()
    return Shape(dict(rows)) if rows else None


def align(connection: Connection, model: PublishedModel, build_id: int) -> tuple[Shape, bool]:
    """Give the published table the columns of the built one; make it where it is missing.

    What must wait for the table's readers happens here, before any row is touched. Returns the built shape and
    whether every row must be compared, because the published shape was not that of the last build. Raises
    ``ShapeError`` when dbt has not built the table or its key is no column of it.
    """
    built = shape_of(connection, model.build_schema, model.table)
    if built is None:
        raise ShapeError(f"dbt has not built {model.build_schema}.{model.table}")
    lacking = [column for column in model.primary_key if column not in built.columns]
    if lacking:
        raise ShapeError(f"{model.name}: its key {', '.join(lacking)} is no column of what dbt built")
    published = shape_of(connection, model.schema, model.table)
    target = sql.Identifier(model.schema, model.table)
    if published is None:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(model.schema)))
        columns = sql.SQL(", ").join(_definition(name, kind) for name, kind in built.columns.items())
        connection.execute(sql.SQL("create table {} ({})").format(target, columns))
        return built, True

    changed = False
    for name, kind in built.columns.items():
        if published.columns.get(name) == kind:
            continue
        changed = True
        if name in published.columns:
            connection.execute(sql.SQL("alter table {} drop column {}").format(target, sql.Identifier(name)))
        connection.execute(sql.SQL("alter table {} add column {}").format(target, _definition(name, kind)))
    for name in published.columns.keys() - built.columns.keys():
        _stop_filling(connection, model, name, build_id)
    key = _primary_key(connection, model.schema, model.table)
    if key is not None and key[1] != model.primary_key:
        connection.execute(sql.SQL("alter table {} drop constraint {}").format(target, sql.Identifier(key[0])))
        changed = True
    _drop_indexes(connection, model)
    return built, changed


def finish(connection: Connection, model: PublishedModel) -> None:
    """Give the published table the built one's key, indexes and comments."""
    _set_primary_key(connection, model)
    _copy_indexes(connection, model)
    copy_comments(connection, model)


def differs(connection: Connection, model: PublishedModel) -> bool:
    """Whether ``align`` would add columns to a table that is published already, or change their type."""
    built = shape_of(connection, model.build_schema, model.table)
    published = shape_of(connection, model.schema, model.table)
    return bool(built and published and built.columns.items() - published.columns.items())


def _definition(name: str, kind: str) -> sql.Composed:
    # the type comes from PostgreSQL's own catalogue
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))


def _stop_filling(connection: Connection, model: PublishedModel, column: str, build_id: int) -> None:
    """Empty a column that the model has lost; it is dropped only on purpose (``retire``)."""
    comment = _comments(connection, model.schema, model.table).get(column) or ""
    if comment.startswith(_RETIRED.split("{", maxsplit=1)[0]):
        return
    target, name = sql.Identifier(model.schema, model.table), sql.Identifier(column)
    connection.execute(sql.SQL("alter table {} alter column {} drop not null").format(target, name))
    connection.execute(sql.SQL("update {} set {} = null where {} is not null").format(target, name, name))
    text = sql.Literal(_RETIRED.format(build_id))
    connection.execute(sql.SQL("comment on column {}.{} is {}").format(target, name, text))


def _primary_key(connection: Connection, schema: str, table: str) -> tuple[str, tuple[str, ...]] | None:
    row = connection.execute(
        """
        select k.conname, array_agg(a.attname order by p.place)
        from pg_constraint k
        join pg_class c on c.oid = k.conrelid
        join pg_namespace n on n.oid = c.relnamespace
        cross join unnest(k.conkey) with ordinality p(attnum, place)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = p.attnum
        where n.nspname = %s and c.relname = %s and k.contype = 'p'
        group by k.conname
        """,
        (schema, table),
    ).fetchone()
    return (row[0], tuple(row[1])) if row else None


def _set_primary_key(connection: Connection, model: PublishedModel) -> None:
    if _primary_key(connection, model.schema, model.table) is None:
        target = sql.Identifier(model.schema, model.table)
        key = sql.SQL(", ").join(map(sql.Identifier, model.primary_key))
        connection.execute(sql.SQL("alter table {} add primary key ({})").format(target, key))


def _indexes(connection: Connection, schema: str, table: str) -> dict[str, str]:
    """Indexes but the primary key's: what they are on (as printed after USING) to their name."""
    rows = connection.execute(
        """
        select pg_get_indexdef(i.indexrelid), x.relname
        from pg_index i
        join pg_class c on c.oid = i.indrelid
        join pg_class x on x.oid = i.indexrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = %s and c.relname = %s and not i.indisprimary
        """,
        (schema, table),
    ).fetchall()
    return {text.split(" USING ", 1)[1]: name for text, name in rows}


def _wanted_indexes(connection: Connection, model: PublishedModel) -> set[str]:
    """Those of the built table; the key's own index comes with the key."""
    key = f"btree ({', '.join(model.primary_key)})"
    return set(_indexes(connection, model.build_schema, model.table)) - {key}


def _drop_indexes(connection: Connection, model: PublishedModel) -> None:
    present = _indexes(connection, model.schema, model.table)
    for definition in present.keys() - _wanted_indexes(connection, model):
        connection.execute(sql.SQL("drop index {}").format(sql.Identifier(model.schema, present[definition])))


def _copy_indexes(connection: Connection, model: PublishedModel) -> None:
    """Make the indexes of the built table, none of them unique.

    A unique index is checked row by row, so an update that swaps two values would fail half-way; what is
    unique the audit has checked on the built table.
    """
    present = _indexes(connection, model.schema, model.table)
    for definition in _wanted_indexes(connection, model) - present.keys():
        suffix = hashlib.sha256(definition.encode()).hexdigest()[:8]
        connection.execute(
            sql.SQL("create index {} on {} using {}").format(
                sql.Identifier(f"{model.table[:50]}_{suffix}"),
                sql.Identifier(model.schema, model.table),
                sql.SQL(definition),  # printed by PostgreSQL
            )
        )


def _comments(connection: Connection, schema: str, table: str) -> dict[str, str | None]:
    """Column to comment; the table's own under the empty name."""
    return dict(
        connection.execute(
            """
            select coalesce(a.attname, ''), d.description
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            join pg_description d on d.objoid = c.oid and d.classoid = 'pg_class'::regclass
            left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
            where n.nspname = %s and c.relname = %s
            """,
            (schema, table),
        ).fetchall()
    )


def copy_comments(connection: Connection, model: PublishedModel, *, kind: Literal["table", "view"] = "table") -> None:
    """Give the published table or view the comments of the built one."""
    wanted = _comments(connection, model.build_schema, model.table)
    present = _comments(connection, model.schema, model.table)
    target = sql.Identifier(model.schema, model.table)
    for name, text in wanted.items():
        if present.get(name) == text:
            continue
        if name:
            place = sql.SQL("column {}.{}").format(target, sql.Identifier(name))
        else:
            place = sql.SQL("{} {}").format(sql.SQL(kind), target)
        connection.execute(sql.SQL("comment on {} is {}").format(place, sql.Literal(text)))
