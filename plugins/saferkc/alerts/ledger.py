"""``quality.alert``: one row a suspected cause, however often it is seen.

Titles and bodies are read by people outside the police: no value of a record stands in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from saferkc.warehouse.connection import Connection

Severity = Literal["held", "act", "note"]
Audience = Literal["engineers", "community_safety_team", "agency_contact"]
State = Literal["open", "acknowledged", "confirmed", "rejected", "resolved"]

_IS_OPEN = "state in ('open', 'acknowledged')"


class AlertNotFoundError(Exception):
    """There is no alert of that number that is still open."""


@dataclass(frozen=True)
class Alert:
    """One entry of the ledger. ``dedup_key`` names the cause, ``group_key`` what it belongs to."""

    alert_id: int
    dedup_key: str
    group_key: str | None
    severity: Severity
    audience: Audience
    title: str
    body: str
    state: State
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    owner: str | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    note: str | None


def raise_alert(
    connection: Connection,
    *,
    dedup_key: str,
    group_key: str | None,
    severity: Severity,
    audience: Audience,
    title: str,
    body: str,
    owner: str | None = None,
) -> int:
    """Enter an alert and return its id.

    While an alert with the same ``dedup_key`` is open (or acknowledged), that one is seen once more: its
    words become the latest, its state stays, so what somebody has taken on does not come back as new. Runs in
    the caller's transaction.
    """
    row = connection.execute(
        """
        insert into quality.alert (dedup_key, group_key, severity, audience, title, body, owner)
        values (%(dedup_key)s, %(group_key)s, %(severity)s, %(audience)s, %(title)s, %(body)s, %(owner)s)
        on conflict (dedup_key) where state in ('open', 'acknowledged') do update
        set times_seen = quality.alert.times_seen + 1,
            last_seen_at = now(),
            severity = excluded.severity,
            title = excluded.title,
            body = excluded.body
        returning alert_id
        """,
        {
            "dedup_key": dedup_key,
            "group_key": group_key,
            "severity": severity,
            "audience": audience,
            "title": title,
            "body": body,
            "owner": owner,
        },
    ).fetchone()
    assert row is not None  # noqa: S101 - an upsert returns its row
    return int(row[0])


def resolve(connection: Connection, dedup_key: str, *, note: str) -> bool:
    """Resolve the open alert of that cause, because the cause is gone. Returns False when none is open."""
    cursor = connection.execute(
        f"update quality.alert set state = 'resolved', resolved_at = now(), note = %s"  # noqa: S608
        f" where dedup_key = %s and {_IS_OPEN}".encode(),
        (note, dedup_key),
    )
    return cursor.rowcount > 0


def resolve_alert(connection: Connection, alert_id: int, *, by: str, note: str) -> None:
    """Resolve an alert by hand. Raises ``AlertNotFoundError`` when no such alert is open."""
    _decide(connection, alert_id, "resolved_at = now(), state = 'resolved'", by, note)


def acknowledge_alert(connection: Connection, alert_id: int, *, by: str, note: str | None = None) -> None:
    """Take an alert on: it stays in the list, and being seen again does not reopen it.

    Raises ``AlertNotFoundError`` when no such alert is open.
    """
    _decide(connection, alert_id, "state = 'acknowledged'", by, note)


def _decide(connection: Connection, alert_id: int, change: str, by: str, note: str | None) -> None:
    cursor = connection.execute(
        f"update quality.alert set {change}, acknowledged_by = coalesce(acknowledged_by, %s),"  # noqa: S608
        f" note = coalesce(%s, note) where alert_id = %s and {_IS_OPEN}".encode(),
        (by, note, alert_id),
    )
    if cursor.rowcount == 0:
        raise AlertNotFoundError(f"alert {alert_id} is not open: `saferkc alerts` lists those that are")


def list_alerts(connection: Connection, *, include_closed: bool = False) -> list[Alert]:
    """Return the open alerts (or all), the gravest first and then the latest."""
    where = "true" if include_closed else _IS_OPEN
    columns = ", ".join(Alert.__dataclass_fields__)
    with connection.cursor(row_factory=class_row(Alert)) as cursor:
        cursor.execute(
            f"select {columns} from quality.alert where {where}"  # noqa: S608
            " order by array_position(array['held', 'act', 'note'], severity), last_seen_at desc,"
            " alert_id desc".encode()
        )
        return cursor.fetchall()
