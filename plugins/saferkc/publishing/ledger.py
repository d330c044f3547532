"""The ledger of builds: what a build sees, that only one runs, and how each ended."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from saferkc.alerts import raise_alert
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect

# sessions of a build carry one of these names: dbt's own, and ours while auditing and publishing
APPLICATION_NAME = "saferkc build"
_BUILD_SESSIONS = ("dbt", APPLICATION_NAME)

# what dbt writes while it works is no part of the project
_NOT_PROJECT = {"target", "logs", "dbt_packages", "__pycache__"}

FAILED_ALERT = "build:failed"
HELD_ALERT = "build:held"


class BuildInProgressError(Exception):
    """Another build still works on the tables; the message says which."""


@dataclass(frozen=True)
class BuildStart:
    """What the build's tasks need to know. ``build_id`` is None when there is nothing new to build."""

    build_id: int | None
    full_refresh: bool


def begin_build(
    settings: Settings,
    full_refresh: bool = False,
    *,
    run_id: str | None = None,
    patience_seconds: float = 120,
) -> BuildStart:
    """Enter a new build in ``quality.build``, or find that nothing has changed since the last published one.

    What a build rests on is every admitted delivery, people's decisions on changes in counting, the dbt project and
    the audit's suites. What a look only suspects starts no build: it is found within one, and stands in it. dbt builds
    everything anew (``full_refresh``) when the caller asks for it or the project has changed since the last
    build that went through: a build that was held or broke off may have left tables of either project.

    A build that a crash left 'running' is closed as 'failed'. Its programs may outlive it for a while (a
    killed worker's dbt), so this waits ``patience_seconds`` for their database sessions to end and then
    raises ``BuildInProgressError``. ``run_id`` is the Airflow run, for the record.
    """
    _wait_for_sessions(settings, patience_seconds)
    project = fingerprint_of_files(_project_files(settings.dbt_project_dir), settings.dbt_project_dir)
    asked = [*settings.suites_dir.glob("*.yaml"), *settings.expectations_dir.glob("*.py")]
    suites = fingerprint_of_files(sorted(asked), settings.expectations_dir)
    with connect(settings, application_name="saferkc") as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('saferkc.begin_build'))")
        _close_abandoned(connection)
        deliveries = [
            row[0]
            for row in connection.execute(
                "select delivery_id from quality.delivery where state = 'admitted' order by delivery_id"
            )
        ]
        rests_on = [deliveries, _decisions(connection), project, suites]
        fingerprint = hashlib.sha256(json.dumps(rests_on).encode()).hexdigest()
        last = connection.execute(
            "select build_id, fingerprint from quality.build where state = 'published' order by build_id desc limit 1"
        ).fetchone()
        last_id = last[0] if last else 0
        if last is not None and last[1] == fingerprint and not full_refresh:
            return BuildStart(None, False)
        changed = connection.execute(
            "select true from quality.build where build_id >= %s and project_fingerprint is distinct from %s limit 1",
            (last_id, project),
        ).fetchone()
        full_refresh = full_refresh or last is None or changed is not None
        row = connection.execute(
            "insert into quality.build (fingerprint, project_fingerprint, airflow_run_id) values (%s, %s, %s)"
            " returning build_id",
            (fingerprint, project, run_id),
        ).fetchone()
        assert row is not None  # noqa: S101 - an insert returns its row
        build_id = int(row[0])
        connection.execute(
            "insert into quality.build_delivery (build_id, delivery_id) select %s, unnest(%s::bigint[])",
            (build_id, deliveries),
        )
    return BuildStart(build_id, full_refresh)


def _decisions(connection: Connection) -> list[str]:
    """People's decisions on changes in counting, each as one text."""
    rows = connection.execute(
        "select concat_ws(' ', change_id, state, changed_at) from quality.recording_change"
        " where state in ('confirmed', 'rejected') order by change_id"
    )
    return [row[0] for row in rows]


def finish_build(settings: Settings, build_id: int, *, state: Literal["held", "failed"], reason: str) -> bool:
    """Close a build that will not be published, with the reason in words; a failed one raises an alert.

    Returns False when the build had ended already: its first end stands.
    """
    with connect(settings) as connection:
        return close_build(connection, build_id, state=state, reason=reason)


def close_build(connection: Connection, build_id: int, *, state: Literal["held", "failed"], reason: str) -> bool:
    """As ``finish_build``, in the caller's transaction."""
    cursor = connection.execute(
        "update quality.build set state = %s, reason = %s, finished_at = now()"
        " where build_id = %s and state = 'running'",
        (state, reason, build_id),
    )
    if cursor.rowcount == 0:
        return False
    if state == "failed":
        raise_alert(
            connection,
            dedup_key=FAILED_ALERT,
            group_key="build",
            severity="act",
            audience="engineers",
            at_once=True,
            title=f"Build {build_id} failed",
            body=f"{reason}\n\nThe last good build stays published. Next step: read the log of the failed"
            " task, mend the cause and run the nightly again.",
        )
    return True


def fingerprint_of_files(files: list[Path], root: Path) -> str:
    """Return one hash over the names (relative to ``root``) and bytes of ``files``."""
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _project_files(directory: Path) -> list[Path]:
    found = []
    for path in sorted(directory.rglob("*")):
        parts = path.relative_to(directory).parts
        if any(part in _NOT_PROJECT or part.startswith(".") for part in parts) or not path.is_file():
            continue
        found.append(path)
    return found


def _close_abandoned(connection: Connection) -> None:
    """Close builds that nothing works on any more: no session of theirs was left."""
    abandoned = connection.execute("select build_id from quality.build where state = 'running' for update").fetchall()
    for (build_id,) in abandoned:
        close_build(
            connection,
            build_id,
            state="failed",
            reason="It broke off before its end (a crash or a stop); the next build started without it.",
        )


def _wait_for_sessions(settings: Settings, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    with connect(settings, autocommit=True) as connection:
        while True:
            row = connection.execute(
                "select count(*), min(backend_start) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
                " and application_name = any(%s)",
                (list(_BUILD_SESSIONS),),
            ).fetchone()
            assert row is not None  # noqa: S101 - an aggregate returns a row
            if row[0] == 0:
                return
            if time.monotonic() >= deadline:
                raise BuildInProgressError(
                    f"a build is at work in the warehouse since {row[1]:%H:%M} ({row[0]} sessions):"
                    " wait for its end, or stop it, and run the nightly again"
                )
            time.sleep(0.2)
