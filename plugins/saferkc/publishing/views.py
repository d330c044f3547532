"""Published views: those that dbt built, over the published tables, made anew where they differ.

A view holds no rows, so it says of every moment what the tables say; it must read published tables only, or it would
show a reader two builds at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from psycopg import sql

from saferkc.publishing import shape
from saferkc.publishing.manifest import BUILD_PREFIX, PublishedModel
from saferkc.warehouse.connection import Connection


def remake(connection: Connection, models: Sequence[PublishedModel], *, all_of_them: bool) -> list[PublishedModel]:
    """Drop the published views whose definition is not the built one any more; returns those to ``make``.

    Called before the shape of any table changes, because a view keeps the columns that it reads from being dropped;
    ``all_of_them`` where some shape will change. Raises ``ShapeError`` for a view that dbt has not built, that reads
    what is not published, or whose name is a table's.
    """
    outdated = []
    for model in models:
        wanted = _definition(connection, model.build_schema, model.table)
        if wanted is None:
            raise shape.ShapeError(f"dbt has not built the view {model.build_schema}.{model.table}")
        if _is_table(connection, model):
            raise shape.ShapeError(f"{model.name} is a view now, and published as a table: retire that first")
        unpublished = _reads_unpublished(connection, model)
        if unpublished:
            raise shape.ShapeError(
                f"the view {model.name} reads {', '.join(unpublished)}, which is not published: a reader would see"
                " rows of two builds"
            )
        if all_of_them or _definition(connection, model.schema, model.table) != _over_published(wanted):
            outdated.append(model)
    present = [model for model in outdated if is_view(connection, model.schema, model.table)]
    if present:
        # in one statement, so that views over each other go together
        names = sql.SQL(", ").join(sql.Identifier(model.schema, model.table) for model in present)
        connection.execute(sql.SQL("drop view {}").format(names))
    return outdated


def make(connection: Connection, models: Sequence[PublishedModel]) -> None:
    """Make views over the published tables as dbt built them over its own, with their comments."""
    for model in sorted(models, key=lambda one: _made_at(connection, one)):
        text = _definition(connection, model.build_schema, model.table)
        assert text is not None  # noqa: S101 - ``remake`` has seen it
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(model.schema)))
        connection.execute(
            sql.SQL("create view {} as {}").format(
                sql.Identifier(model.schema, model.table),
                sql.SQL(_over_published(text)),  # printed by PostgreSQL
            )
        )
        shape.copy_comments(connection, model, kind="view")


def is_view(connection: Connection, schema: str, name: str) -> bool:
    """Whether there is a view of that name."""
    return _definition(connection, schema, name) is not None


def _definition(connection: Connection, schema: str, name: str) -> str | None:
    row = connection.execute(
        "select pg_get_viewdef(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s and c.relkind = 'v'",
        (schema, name),
    ).fetchone()
    return row[0] if row else None


def _over_published(definition: str) -> str:
    return re.sub(rf"\b{BUILD_PREFIX}(\w+)\.", r"\1.", definition)


def _is_table(connection: Connection, model: PublishedModel) -> bool:
    row = connection.execute(
        "select 1 from pg_tables where schemaname = %s and tablename = %s", (model.schema, model.table)
    ).fetchone()
    return row is not None


def _reads_unpublished(connection: Connection, model: PublishedModel) -> list[str]:
    """Tables and views outside of the built marts that the built view reads."""
    rows = connection.execute(
        """
        select distinct n.nspname || '.' || c.relname
        from pg_rewrite r
        join pg_depend d on d.objid = r.oid
          and d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
        join pg_class c on c.oid = d.refobjid
        join pg_namespace n on n.oid = c.relnamespace
        where r.ev_class = %s::regclass and n.nspname not like %s
        order by 1
        """,
        (f"{model.build_schema}.{model.table}", BUILD_PREFIX.replace("_", r"\_") + "%"),
    ).fetchall()
    return [name for (name,) in rows]


def _made_at(connection: Connection, model: PublishedModel) -> int:
    """A number by which views come after the views that they read: dbt makes them in that order."""
    row = connection.execute("select %s::regclass::oid", (f"{model.build_schema}.{model.table}",)).fetchone()
    assert row is not None  # noqa: S101 - a select of one value
    return int(row[0])
