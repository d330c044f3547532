"""The last builds, each with what its tasks took against what they usually take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from saferkc.monitoring.tasks import TaskRun, task_runs
from saferkc.warehouse.connection import Connection, fetch_all

_BUILDS = """
    select build_id, state, started_at, finished_at, models_built, checks_run, checks_failed, rows_changed, reason,
        extract(epoch from finished_at - started_at)::float as seconds
    from quality.build order by build_id desc limit %(limit)s
"""
# builds that went through, before the ones shown and among them
_HISTORY = 20


@dataclass(frozen=True)
class Build:
    """A build; ``usual_seconds`` is the median of up to twenty published before it. ``tasks`` are in their order."""

    build_id: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    models_built: int | None
    checks_run: int | None
    checks_failed: int | None
    rows_changed: int | None
    reason: str | None
    seconds: float | None
    usual_seconds: float | None
    tasks: tuple[TaskRun, ...]


def last_builds(connection: Connection, limit: int = 5) -> list[Build]:
    """Return the last builds, the newest first."""
    rows = fetch_all(connection, _BUILDS, {"limit": limit + _HISTORY})
    builds = []
    for place, row in enumerate(rows[:limit]):
        before = [one["seconds"] for one in rows[place + 1 :] if one["state"] == "published"][:_HISTORY]
        usual = median(before) if before else None
        tasks = tuple(task_runs(connection, build_id=row["build_id"]))
        builds.append(Build(**row, usual_seconds=usual, tasks=tasks))
    return builds
