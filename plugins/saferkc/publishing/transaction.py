"""Publishing: one transaction brings the published marts to equal what dbt built and the audit passed.

Nothing is renamed, truncated or rewritten: readers keep their snapshot, so PostgreSQL shows every statement
(or transaction, in REPEATABLE READ) exactly one build across all tables, and a crash anywhere leaves the old
one.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from saferkc.alerts import raise_alert, resolve, resolve_shown
from saferkc.monitoring import settle_deadlines, timed
from saferkc.publishing import shape, views
from saferkc.publishing.difference import Changes, Tables, make_equal
from saferkc.publishing.ledger import APPLICATION_NAME, FAILED_ALERT, HELD_ALERT
from saferkc.publishing.manifest import PublishedModel, published_models, target_dir
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

# A change of shape must wait for readers of the table. It gives up before PostgreSQL looks for deadlocks
# (after one second), so that it is publishing that tries again and never a reader that is ended.
_LOCK_TIMEOUT = "500ms"
_ATTEMPTS = 60
_PUBLISHED_BUILD = "core.published_build"


class NotPublishableError(Exception):
    """The build may not be published: it is not there, ended otherwise, or was not audited."""


@dataclass(frozen=True)
class PublishResult:
    """What publishing changed: table (``schema.table``) to its changes; empty when published before."""

    build_id: int
    changes: dict[str, Changes] = field(default_factory=dict)

    @property
    def rows_changed(self) -> int:
        """Rows deleted, updated and inserted in all tables."""
        return sum(changes.total for changes in self.changes.values())


@timed("publish")
def publish(settings: Settings, build_id: int, *, manifest: Path | None = None) -> PublishResult:
    """Publish an audited build; a build that is published already is left as it is.

    Raises ``NotPublishableError``, ``ShapeError`` or ``ManifestError``; nothing is changed then.
    """
    models = published_models(manifest or target_dir(settings) / "manifest.json")
    with connect(settings, application_name=APPLICATION_NAME) as connection:
        changes = _with_patience(connection, build_id, models)
        settle_deadlines(settings, connection)
    if changes is None:
        return PublishResult(build_id)
    _analyze(settings, [model for model in models if model.name in changes and changes[model.name].total > 0])
    return PublishResult(build_id, changes)


def retire(settings: Settings, table: str, column: str | None = None) -> None:
    """Drop a published table or view (``schema.table``), or a column of a table, that no model fills any more.

    Publishing never drops anything by itself: somebody may still query it. Raises ``NotPublishableError``
    when dbt still builds it, and ``psycopg.errors.DependentObjectsStillExist`` when a view still uses it.
    """
    schema, _, name = table.partition(".")
    with connect(settings, application_name=APPLICATION_NAME) as connection:
        built = shape.shape_of(connection, f"build_{schema}", name)
        if built is not None and (column is None or column in built.columns):
            raise NotPublishableError(f"dbt still builds {table}{f'.{column}' if column else ''}")
        target = sql.Identifier(schema, name)
        if column is None:
            is_view = views.is_view(connection, schema, name)
            connection.execute(sql.SQL("drop {} {}").format(sql.SQL("view" if is_view else "table"), target))
        else:
            connection.execute(sql.SQL("alter table {} drop column {}").format(target, sql.Identifier(column)))
        resolve(connection, f"retire:{table}", note="retired")


def _with_patience(connection: Connection, build_id: int, models: list[PublishedModel]) -> dict[str, Changes] | None:
    for attempt in range(_ATTEMPTS):
        try:
            with connection.transaction():
                return _publish(connection, build_id, models)
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.1, 0.5))  # noqa: S311 - no secret
    raise AssertionError("unreachable")


def _publish(connection: Connection, build_id: int, models: list[PublishedModel]) -> dict[str, Changes] | None:
    connection.execute("select pg_advisory_xact_lock(hashtext('saferkc.publish'))")
    if not _check_state(connection, build_id):
        return None
    last_row = connection.execute("select max(build_id) from quality.build where state = 'published'").fetchone()
    last = last_row[0] if last_row else None

    connection.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
    connection.execute("set local work_mem = '256MB'")  # two large tables are joined in one pass
    # all changes of shape first: they take the strongest locks, so they wait before any row is touched
    tables = [model for model in models if not model.is_view]
    all_views = [model for model in models if model.is_view]
    shapes_change = any(shape.differs(connection, model) for model in tables)
    outdated = views.remake(connection, all_views, all_of_them=shapes_change)
    shapes = {model: shape.align(connection, model, build_id) for model in tables}
    views.make(connection, outdated)
    # what follows waits for no reader, only for a vacuum perhaps, and that gives way after a second
    connection.execute("set local lock_timeout = 0")
    changes = {}
    for model in tables:
        built, compare_all = shapes[model]
        changes[model.name] = make_equal(
            connection,
            Tables(
                source=(model.build_schema, model.table),
                target=(model.schema, model.table),
                key=model.primary_key,
                columns=tuple(built.columns),
                # A fact's build_id says which build brought the row as it is: a month that was built again to
                # the same rows need not be written again. Marts built whole carry the build that they are of.
                stamps=frozenset({"build_id"} if model.rows == "changed" else ()),
                compare_as_text=frozenset(built.uncomparable),
            ),
            newer_than_build=last if model.rows == "changed" and not compare_all else None,
        )
        shape.finish(connection, model)
    _flag_unbuilt_tables(connection, models)
    _make_published_build(connection)
    connection.execute(
        "update quality.build set state = 'published', finished_at = clock_timestamp(), reason = null,"
        " rows_changed = %s where build_id = %s",
        (sum(change.total for change in changes.values()), build_id),
    )
    for cause in (HELD_ALERT, FAILED_ALERT):
        resolve(connection, cause, note=f"Build {build_id} was published.")
    resolve_shown(connection, build_id, note=f"Build {build_id} shows what was decided.")
    return changes


def _check_state(connection: Connection, build_id: int) -> bool:
    """Whether the build is to be published; False when it is already."""
    row = connection.execute(
        "select state, checks_run is not null, reason from quality.build where build_id = %s for update",
        (build_id,),
    ).fetchone()
    if row is None:
        raise NotPublishableError(f"there is no build {build_id}")
    state, audited, reason = row
    if state == "published":
        return False
    if state != "running":
        raise NotPublishableError(f"build {build_id} was {state}: {reason}")
    if not audited:
        raise NotPublishableError(f"build {build_id} was not audited")
    return True


def _flag_unbuilt_tables(connection: Connection, models: list[PublishedModel]) -> None:
    """Tell the engineers of published tables and views that no model makes any more: tables stand still."""
    schemas = sorted({model.schema for model in models})
    names = {model.name for model in models} | {_PUBLISHED_BUILD}
    tables = connection.execute(
        "select schemaname || '.' || tablename from pg_tables where schemaname = any(%(schemas)s)"
        " union all select schemaname || '.' || viewname from pg_views where schemaname = any(%(schemas)s)",
        {"schemas": schemas},
    ).fetchall()
    for (table,) in tables:
        if table in names:
            continue
        raise_alert(
            connection,
            dedup_key=f"retire:{table}",
            group_key="build",
            severity="note",
            audience="engineers",
            title=f"{table} is no longer built",
            body=f"No dbt model fills {table} any more, so it shows an older build than the other marts."
            " Next step: find out who still queries it, tell them, then retire it"
            " (saferkc.publishing.retire).",
        )


def _make_published_build(connection: Connection) -> None:
    """One row that tells readers of the marts which build they see; a view, so it can't say otherwise."""
    connection.execute("create schema if not exists core")
    if shape.shape_of(connection, "core", "published_build") is not None:
        return
    connection.execute(
        "create view core.published_build as select build_id, finished_at as published_at from quality.build"
        " where state = 'published' order by build_id desc limit 1"
    )
    connection.execute(
        "comment on view core.published_build is 'One row: the build that every mart shows, and since when.'"
    )


def _analyze(settings: Settings, models: list[PublishedModel]) -> None:
    # after the commit: analyze inside it would hold back vacuum, and readers' plans can wait a second
    with connect(settings, autocommit=True, application_name=APPLICATION_NAME) as connection:
        for model in models:
            connection.execute(sql.SQL("analyze {}").format(sql.Identifier(model.schema, model.table)))
