"""What should have happened and has not: feeds that are late, marts that are not ready. Engineers are told.

The clock asks, not a build: where nothing comes, nothing is built. Each is told once for each time that was missed,
and closes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from saferkc.alerts import raise_alert, resolve
from saferkc.monitoring.deadline import Deadline, deadline_of, deadline_tonight
from saferkc.monitoring.metrics import send_metrics
from saferkc.monitoring.tonight import FeedTonight, feeds_tonight, local
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, connect, fetch_all

_DEADLINE = "deadline:"


@dataclass(frozen=True)
class Looked:
    """What a look came to: the feeds that are late, and how the deadline stands."""

    late: tuple[str, ...]
    deadline: Deadline


def look(settings: Settings, now: datetime | None = None) -> Looked:
    """Look at the feeds and the deadline, bring the alerts about them up to date, and send the metrics."""
    now = now or datetime.now(UTC)
    with connect(settings) as connection:
        # two looks at once must not tell the same twice
        connection.execute("select pg_advisory_xact_lock(hashtext('saferkc.monitoring'))")
        feeds = feeds_tonight(settings, connection, now)
        for feed in feeds:
            if feed.state == "late":
                _tell_late(connection, feed, now)
            else:
                _resolve_late(connection, feed)
        deadline = deadline_tonight(settings, connection, now)
        settle_deadlines(settings, connection, now)
        if deadline.state == "missed":
            _tell_missed(connection, deadline, now)
    send_metrics(settings, now)
    return Looked(tuple(feed.feed for feed in feeds if feed.state == "late"), deadline)


def settle_late(settings: Settings, connection: Connection, feed: str) -> None:
    """Close the alert about a feed that was late and has come."""
    if _is_open(connection, _late(feed)):
        (found,) = (one for one in feeds_tonight(settings, connection) if one.feed == feed)
        if found.state != "late":
            _resolve_late(connection, found)


def settle_deadlines(settings: Settings, connection: Connection, now: datetime | None = None) -> None:
    """Close the alerts about marts that were not ready and are."""
    now = now or datetime.now(UTC)
    rows = fetch_all(
        connection,
        "select dedup_key from quality.alert where dedup_key like %s and state in ('open', 'acknowledged')",
        [f"{_DEADLINE}%"],
    )
    for key in (row["dedup_key"] for row in rows):
        night = date.fromisoformat(key.removeprefix(_DEADLINE))
        if deadline_of(settings, connection, night, now).state == "met":
            resolve(connection, key, note="The marts hold all that came by then.", now=now)


def _late(feed: str) -> str:
    return f"late:{feed}"


def _tell_late(connection: Connection, feed: FeedTonight, now: datetime) -> None:
    if feed.due_at is None or _was_told(connection, _late(feed.feed), since=feed.due_at):
        return
    last = "never" if feed.last_arrived_at is None else local(feed.last_arrived_at)
    raise_alert(
        connection,
        dedup_key=_late(feed.feed),
        group_key=f"late:{feed.source}",
        severity="act" if feed.impact_tier == "tier_1" else "note",
        audience="engineers",
        title=f"{feed.feed}: nothing has come; it was due by {local(feed.due_at)}",
        body=f"By its contract it comes {feed.due}. The last that came for it: {last}. What it feeds stands still while"
        f" the rest goes on.\n\nNext step: look at the last runs of ingest_{feed.feed} and at inbox/{feed.source};"
        f" where nothing waits there, ask {feed.agency} whether it was sent. The alert closes by itself when it comes.",
        now=now,
    )


def _resolve_late(connection: Connection, feed: FeedTonight) -> None:
    resolve(connection, _late(feed.feed), note="It has come." if feed.last_arrived_at else "It is due no more.")


def _tell_missed(connection: Connection, deadline: Deadline, now: datetime) -> None:
    key = f"{_DEADLINE}{deadline.night}"
    if _was_told(connection, key, since=deadline.due_at):
        return
    for (earlier,) in connection.execute(
        "select dedup_key from quality.alert where dedup_key like %s and state in ('open', 'acknowledged')",
        [f"{_DEADLINE}%"],
    ).fetchall():
        resolve(connection, earlier, note="Not ready in the night after it either: that one's alert goes on.", now=now)
    published = "never" if deadline.published_at is None else local(deadline.published_at)
    raise_alert(
        connection,
        dedup_key=key,
        group_key="build",
        severity="act",
        audience="engineers",
        title=f"The marts were not ready by {local(deadline.due_at)}",
        body=f"Where it stands: {deadline.why}. The marts that people see were published last: {published}.\n\n"
        "Next step: `saferkc status` shows what runs and what took longer than usual, `saferkc alerts` whether a build"
        " is held or failed. The alert closes by itself when the marts hold all that came by then.",
        now=now,
    )


def _was_told(connection: Connection, key: str, *, since: datetime) -> bool:
    """Whether the ledger has it already for this time, be it that somebody has closed it since."""
    row = connection.execute(
        "select from quality.alert where dedup_key = %s and last_seen_at >= %s limit 1", (key, since)
    ).fetchone()
    return row is not None


def _is_open(connection: Connection, key: str) -> bool:
    row = connection.execute(
        "select from quality.alert where dedup_key = %s and state in ('open', 'acknowledged')", (key,)
    ).fetchone()
    return row is not None
