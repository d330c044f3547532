"""Marts by six: whether what came in the night stands in the marts by the time that people need them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from saferkc.contracts.calendar import LONDON, night_of
from saferkc.settings import Settings
from saferkc.warehouse.connection import Connection, fetch_all

# what came before the deadline and is not in the published marts; a replay's deliveries are deliveries too
_UNPUBLISHED = """
    select
        (select count(*) from quality.arrival where taken_at is null and received_at < %(due)s) as waiting,
        (
            select count(*) from quality.delivery as d
            where d.state = 'admitted' and d.received_at < %(due)s and not exists (
                select from quality.build_delivery as b
                where b.delivery_id = d.delivery_id
                    and b.build_id = (select max(build_id) from quality.build where state = 'published')
            )
        ) as unpublished,
        (select max(finished_at) from quality.build where state = 'published') as published_at
"""
_NEWEST = "select build_id, state, started_at, reason from quality.build order by build_id desc limit 1"


@dataclass(frozen=True)
class Deadline:
    """Tonight's deadline. ``state``: ``ahead`` before it, then ``met`` or ``missed``; ``why`` says where it stands.

    It is met where every document that came before ``due_at`` is in the published marts (or was refused): a night in
    which nothing came meets it, and the feeds that were due are late on their own account.
    """

    night: date
    due_at: datetime
    state: Literal["ahead", "met", "missed"]
    why: str
    waiting: int
    unpublished: int
    published_at: datetime | None


def deadline_tonight(settings: Settings, connection: Connection, now: datetime | None = None) -> Deadline:
    """Return how the deadline of the night stands at ``now``."""
    now = now or datetime.now(UTC)
    return deadline_of(settings, connection, night_of(now), now)


def deadline_of(settings: Settings, connection: Connection, night: date, now: datetime) -> Deadline:
    """Return how the deadline of a night stands at ``now``, which may lie after that night."""
    due_at = datetime.combine(night, settings.marts_by, LONDON)
    row = fetch_all(connection, _UNPUBLISHED, {"due": min(due_at, now)})[0]
    builds = fetch_all(connection, _NEWEST)
    left = bool(row["waiting"] or row["unpublished"])
    state: Literal["ahead", "met", "missed"] = "met" if not left else "missed"
    if now < due_at:
        state = "ahead"
    parts = []
    if row["waiting"]:
        parts.append(f"{row['waiting']:,} documents wait to be loaded")
    if row["unpublished"]:
        parts.append(f"{row['unpublished']:,} admitted deliveries are not in the published marts")
    if builds and builds[0]["state"] != "published":
        build = builds[0]
        began = build["started_at"].astimezone(LONDON)
        doing = "is under way since" if build["state"] == "running" else f"{build['state']}, begun"
        parts.append(f"build {build['build_id']} {doing} {began:%a %H:%M}")
    elif row["unpublished"]:
        parts.append("no build has been begun for them")
    why = "; ".join(parts) if left else "everything that came is published"
    return Deadline(night, due_at, state, why, row["waiting"], row["unpublished"], row["published_at"])
