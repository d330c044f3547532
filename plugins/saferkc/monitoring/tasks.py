"""What the tasks of a night took, kept in ``quality.task_run``, and what they usually take."""

from __future__ import annotations

import functools
import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

import psycopg

from saferkc.monitoring.logs import about
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

# the median of so many runs that went well is what is usual
_RUNS = 20

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class TaskRun:
    """One run of a task and the seconds that runs of it usually take; None while there were none before."""

    task: str
    feed: str | None
    build_id: int | None
    began_at: datetime
    seconds: float
    usual_seconds: float | None
    succeeded: bool

    @property
    def share_of_usual(self) -> float | None:
        """How many times the usual this run took."""
        return self.seconds / self.usual_seconds if self.usual_seconds else None


def timed(
    task: str,
) -> Callable[[Callable[Concatenate[Settings, P], R]], Callable[Concatenate[Settings, P], R]]:
    """Keep how long a function takes that is a task's work, for the ``feed`` or ``build_id`` it is called with.

    A function that lands or loads nothing (an empty argument ``arrival_ids`` or result) is not kept: hours of
    looking in vain are no measure. What it raises, it raises.
    """

    def wrap(work: Callable[Concatenate[Settings, P], R]) -> Callable[Concatenate[Settings, P], R]:
        signature = inspect.signature(work)

        @functools.wraps(work)
        def wrapped(settings: Settings, /, *args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(settings, *args, **kwargs).arguments
            feed, build_id = given.get("feed"), given.get("build_id")
            if not given.get("arrival_ids", True):
                return work(settings, *args, **kwargs)
            with about(settings, task=task, feed=feed, build_id=build_id):
                began = time.monotonic()
                try:
                    result = work(settings, *args, **kwargs)
                except Exception as error:
                    keep_task_run(settings, task, time.monotonic() - began, feed, build_id, error=error)
                    raise
                if result != []:
                    keep_task_run(settings, task, time.monotonic() - began, feed, build_id)
            return result

        return wrapped

    return wrap


def keep_task_run(
    settings: Settings,
    task: str,
    seconds: float,
    feed: str | None = None,
    build_id: int | None = None,
    *,
    error: Exception | None = None,
) -> None:
    """Enter a run of a task that has just ended. A ledger that can't be written is no reason for it to fail."""
    now = datetime.now(UTC)
    # the words of an error may come from anywhere, so its kind alone is told
    ending = "ended" if error is None else f"failed: {type(error).__name__}"
    log.info("%s %s", task, ending, extra={"seconds": round(seconds, 2), "succeeded": error is None})
    try:
        with connect(settings) as connection:
            connection.execute(
                "insert into quality.task_run (task, feed, build_id, began_at, ended_at, succeeded)"
                " values (%s, %s, %s, %s, %s, %s)",
                (task, feed, build_id, now - timedelta(seconds=seconds), now, error is None),
            )
    except psycopg.Error as fault:
        log.warning("how long %s took could not be kept: %s", task, type(fault).__name__)


_RUNS_OF = """
    select r.task, r.feed, r.build_id, r.began_at, r.succeeded,
        extract(epoch from r.ended_at - r.began_at)::float as seconds, usual.seconds as usual_seconds
    from quality.task_run as r
    left join lateral (
        select percentile_cont(0.5) within group (order by extract(epoch from b.ended_at - b.began_at)) as seconds
        from (
            select began_at, ended_at from quality.task_run as b
            where b.task = r.task and b.feed is not distinct from r.feed
                and b.succeeded and b.task_run_id < r.task_run_id
            order by b.task_run_id desc limit %(runs)s
        ) as b
    ) as usual on true
"""


def task_runs(connection: Connection, *, since: datetime | None = None, build_id: int | None = None) -> list[TaskRun]:
    """Return the tasks that ended after ``since``, or those of a build, in their order, each beside what is usual."""
    rows = fetch_all(
        connection,
        _RUNS_OF
        + " where (%(since)s::timestamptz is null or r.ended_at >= %(since)s)"
        + " and (%(build_id)s::bigint is null or r.build_id = %(build_id)s) order by r.task_run_id",
        {"runs": _RUNS, "since": since, "build_id": build_id},
    )
    return [TaskRun(**row) for row in rows]


def latest_task_runs(connection: Connection) -> list[TaskRun]:
    """Return the last run of each task, by feed where it is a feed's."""
    rows = fetch_all(
        connection,
        f"{_RUNS_OF} where r.task_run_id in (select max(task_run_id) from quality.task_run group by task, feed)"  # noqa: S608 - our own words
        " order by r.task, r.feed",
        {"runs": _RUNS},
    )
    return [TaskRun(**row) for row in rows]
