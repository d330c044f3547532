"""Tonight: how feeds stand, the last builds with their durations, and the checks that did not pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from saferkc.monitoring import Build, Deadline, FeedTonight, deadline_tonight, feeds_tonight, last_builds
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

# a build or a task that takes so many times its usual time is worth a look
SLOW = 1.5
# those that somebody should look at come first
_ORDER = ("late", "refused", "expected", "loading", "arrived", "not_due", "never_came")
_FAILED = """
select suite, check_name, table_name, column_name, severity, meaning, next_step
from quality.check_result where build_id = %s and not success
order by severity, check_result_id limit 50
"""
_PUBLISHED = """
select build_id, started_at, finished_at from quality.build where state = 'published' order by build_id desc limit 1
"""


@dataclass(frozen=True)
class Tonight:
    """All that the page shows. ``builds`` has the newest first; ``published`` is the one that readers see."""

    feeds: list[FeedTonight]
    builds: list[Build]
    deadline: Deadline
    published: dict[str, Any] | None
    failed_checks: list[dict[str, Any]]


def read_tonight(settings: Settings, connection: Connection) -> Tonight:
    """Read how the night stands."""
    builds = last_builds(connection)
    published = fetch_all(connection, _PUBLISHED)
    return Tonight(
        feeds=sorted(feeds_tonight(settings, connection), key=lambda one: (_ORDER.index(one.state), one.feed)),
        builds=builds,
        deadline=deadline_tonight(settings, connection),
        published=published[0] if published else None,
        failed_checks=fetch_all(connection, _FAILED, [builds[0].build_id]) if builds else [],
    )
